"""Pictures of vectors, MaxSim's table and a question's way, rendered without a browser."""

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from rag_app.service.inspector import MaxSimDetails, StoredPassage, Trace
from tests.helpers.page_values import answer, found, hit
from ui.inspect.render import picture, render_stored, render_trace, render_worked

HOSTILE = '<img src=x onerror="alert(1)">'


def worked() -> MaxSimDetails:
    cosines = np.array([[0.9, 0.1, -0.3], [0.2, 0.5, -0.004]], np.float32)
    return MaxSimDetails("q", "p", (HOSTILE, "b"), ("one", HOSTILE, "three"), cosines, cls=0.25, mean=0.75)


def stored(**fields: object) -> StoredPassage:
    made = StoredPassage(
        text=HOSTILE,
        document=None,
        page=None,
        place=None,
        tokens=("a", HOSTILE),
        cls=np.array([0.5, -1.0, 0.25, 0.0], np.float32),
        mean=np.array([1.0, 0.0, 0.0, 0.0], np.float32),
        matrix=np.array([[1.0, -0.5], [0.0, 0.25]], np.float32),
        codec="int8",
        code_bytes=4,
        map_bytes=8,
        text_bytes=30,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def test_maxima_are_marked_and_add_up() -> None:
    shown = render_worked(worked())
    assert re.findall(r"class=best>([^<]+)<", shown) == [".90", ".50"]
    assert "MaxSim = 0.90 + 0.50 = <b>1.40</b>, 0.70 for each of 2 tokens" in shown
    assert shown.count("<tr>") == 4  # head, two tokens, sum
    assert ">−.30</td>" in shown
    assert ">.00</td>" in shown  # never minus nothing


def test_positive_and_negative_cosines_differ_in_colour_and_strength() -> None:
    shades = re.findall(r"background:rgb\(([^)]+)\)", render_worked(worked()))
    assert shades[0] == "13 148 136/0.54"
    assert shades[2] == "217 93 14/0.18"


def test_single_vectors_stand_beside_and_cannot_tell_why() -> None:
    shown = render_worked(worked())
    assert "<b>0.250</b>" in shown
    assert "<b>0.750</b>" in shown
    assert "a single vector cannot tell why" in shown


def pixels(uri: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    kind, _, data = uri.partition(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_a_picture_has_a_pixel_a_number() -> None:
    drawn = pixels(picture(np.array([[1.0, -0.5, 0.0]], np.float32)))
    assert drawn.shape == (1, 3, 4)
    assert drawn[0, :, 3].tolist() == [255, 128, 0]
    assert drawn[0, 0, :3].tolist() == [13, 148, 136]
    assert drawn[0, 1, :3].tolist() == [217, 93, 14]


@pytest.mark.parametrize("shape", [(1, 4), (0, 4)])
def test_nothing_is_drawn_of_zeros(shape: tuple[int, int]) -> None:
    values = np.zeros(shape, np.float32)
    assert values.size == 0 or pixels(picture(values))[..., 3].max() == 0


def test_what_is_kept_with_dimensions_and_bytes() -> None:
    shown = render_stored(stored())
    for part in (
        "4 dimensions · 16 bytes as float32", "2 vectors of 2 dimensions · codec int8 · 4 bytes of codes",
        "values from -1.00 to 0.50", "16 bytes", "12 bytes", "takes 0.8 times the single vector",
        "encoded now", "height:32px",
    ):  # fmt: skip
        assert part in shown
    assert "share" not in shown


def test_of_a_stored_passage_it_says_where_it_stands() -> None:
    shown = render_stored(stored(document=f"{HOSTILE}.pdf", page=3, place=7))
    assert f"<bdi>{HOSTILE}.pdf" not in shown
    assert "</bdi>, page 3, passage 7, as it is stored" in shown


def test_pooled_tokens_share_vectors_and_absent_ones_are_said_to_be() -> None:
    shown = render_stored(stored(matrix=np.ones((1, 2), np.float32), cls=None))
    assert "2 tokens share 1 vector" in shown
    assert '<ol aria-label="Tokens"></ol>' in shown
    assert '<h4>CLS vector</h4><p class="facts">is not kept</p>' in shown


def trace() -> Trace:
    event = found(hit("One."), hit("Two.", rank=2))
    counts = {"mean": 40, "bm25": 30, "candidates": 55, "maxsim": 55}
    times = {"encode": 3.0, "chroma": 1.0, "fts5": 2.0, "gather": 0.25, "score": 0.75, "answer": 4.0,
             "total": 12.0}  # fmt: skip
    event = replace(event, result=replace(event.result, strategy="fusion", counts=counts))
    made = replace(answer(HOSTILE, hit("One.")), question=HOSTILE, timings_ms=times)
    return Trace(event, made, 5, 384, 128, 20, 1500, 0.35)


def test_steps_have_counts_times_and_bars() -> None:
    shown = render_trace(trace())
    assert "still at hand" not in shown
    assert re.findall(r'class="result">([^<]+)<', shown) == [
        "5 tokens", "5 token vectors", "40 passages", "30 passages", "55 passages", "55 passages",
        "2 passages", "0 sentences", "0 citations",
    ]  # fmt: skip
    assert shown.count("step many") == 1
    assert '<span class="time">1.0 ms</span><' not in shown.split("MaxSim")[0].split("Candidates")[1]
    assert "20 tokens of 1,500 from 2 passages" in shown
    assert re.findall(r'<i style="width:([\d.]+)%', shown) == ["75.0", "25.0", "50.0", "25.0", "100.0"]


def test_texts_of_documents_and_people_are_text() -> None:
    for shown in (render_worked(worked()), render_stored(stored()), render_trace(trace())):
        assert "<img src=x" not in shown
        assert "&lt;img src=x" in shown
