"""Stored vectors as pictures, MaxSim as a table of its numbers, a question's way as a row of steps."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.filesize import decimal

from rag_app.service.inspector import InspectedStage, MaxSimDetails, StoredPassage, Trace, stages
from ui.components.text import escape, flow, milliseconds, plural

WAITING = '<div class="empty">Encoding …</div>'
EMPTY_TRACE = (
    '<div class="empty"><b>No question yet.</b> Ask one above: each step shows how many passages came out of '
    "it and how long it took.</div>"
)
NO_DOCUMENTS = "There are no documents yet. Add some on the Chat page to look at their passages."

Floats = NDArray[np.float32]

# Red, green, blue. A value's strength becomes opacity, so that the colours suit light and dark pages.
_POSITIVE, _NEGATIVE = (13, 148, 136), (217, 93, 14)
# Pixels: static/inspect.css gives the rows of token names this height.
ROW = 16
# Opacity of a cosine of 1 in the table, so that the number on it stays readable.
_STRONGEST = 0.6
_FLOAT = 4


def render_worked(worked: MaxSimDetails) -> str:
    """Return the table of cosines with its maxima marked, their sum, and the single vectors beside it."""
    heads = "".join(f'<th scope="col"><span>{escape(token)}</span></th>' for token in worked.passage_tokens)
    rows = "".join(
        _row(token, worked.cosines[place], best, worked.passage_tokens)
        for place, (token, best) in enumerate(zip(worked.question_tokens, worked.best, strict=True))
    )
    columns = len(worked.passage_tokens)
    table = (
        '<p class="facts">Cosine of each token of the question (rows) with each of the passage (columns). '
        "The best of each row is framed.</p>"
        '<div class="scroll" tabindex="0" role="region" aria-label="Cosines of tokens">'
        '<table class="cosines" aria-label="Cosines of tokens">'
        f'<thead><tr><td></td>{heads}<th scope="col" class="max">maximum</th></tr></thead>'
        f"<tbody>{rows}</tbody>"
        f'<tfoot><tr><th scope="row" colspan="{columns + 1}">sum of the maxima = MaxSim</th>'
        f'<td class="max"><b>{worked.maxsim:.2f}</b></td></tr></tfoot></table></div>'
    )
    return f'<div class="worked"><div>{table}{_sum(worked)}</div>{_single(worked)}</div>'


def _row(token: str, cosines: Floats, best: int, passage: Sequence[str]) -> str:
    cells = "".join(
        f'<td style="{_shade(value)}"{" class=best" if place == best else ""}>{_cosine(value)}</td>'
        for place, value in enumerate(cosines.tolist())
    )
    value, match = float(cosines[best]), escape(passage[best])
    return (
        f'<tr><th scope="row">{escape(token)}</th>{cells}<td class="max"><b>{value:.2f}</b> {match}</td></tr>'
    )


def _sum(worked: MaxSimDetails) -> str:
    terms = " + ".join(f"{value:.2f}" for value in worked.maxima)
    tokens = len(worked.maxima)
    return (
        f'<p class="sum">MaxSim = {terms} = <b>{worked.maxsim:.2f}</b>, '
        f"{worked.maxsim / max(tokens, 1):.2f} for each of {plural(tokens, 'token')} on average.</p>"
    )


def _single(worked: MaxSimDetails) -> str:
    bars = "".join(
        f'<dt>{name}</dt><dd><meter min="0" max="1" value="{max(0.0, value):.3f}" aria-label="{name} cosine">'
        f"</meter> <b>{value:.3f}</b></dd>"
        for name, value in (("CLS", worked.cls), ("mean", worked.mean))
    )
    return (
        '<aside class="single"><h4>The same two texts as single vectors</h4>'
        f"<dl>{bars}</dl><p>One cosine for the whole: a single vector cannot tell why. It does not say which "
        "word met which. MaxSim's rows do.</p><p>Token vectors are centred and projected first, so their "
        "cosines are not on the scale of these two.</p></aside>"
    )


def _cosine(value: float) -> str:
    """Return ".72" or "−.05": short, so that more columns fit."""
    sign = "−" if value <= -0.005 else ""
    digits = f"{abs(value):.2f}"
    return sign + digits.removeprefix("0")


def _shade(value: float) -> str:
    red, green, blue = _POSITIVE if value >= 0 else _NEGATIVE
    return f"background:rgb({red} {green} {blue}/{_STRONGEST * min(abs(value), 1.0):.2f})"


def render_stored(stored: StoredPassage) -> str:
    """Return the stored form of a passage: pictures, dimensions, and the bytes in each store."""
    parts = [_text(stored)]
    for name, kind, vector in (
        ("CLS vector", "the [CLS] token's output", stored.cls),
        ("Mean vector", "the mean of all token vectors", stored.mean),
    ):
        parts.append(_vector(name, kind, vector))
    parts.append(_matrix(stored))
    return f'<div class="stored">{"".join(parts)}</div>{_bytes(stored)}'


def _text(stored: StoredPassage) -> str:
    where = "encoded now; nothing of it is kept"
    if stored.document is not None:
        name = f"<bdi>{escape(stored.document)}</bdi>"
        where = f"{name}, page {stored.page}, passage {stored.place}, as it is stored"
    return (
        f'<section class="kept"><h4>Text</h4><p class="facts">{where}</p>'
        f'<div class="passage" dir="auto">{escape(flow(stored.text))}</div></section>'
    )


def _vector(name: str, kind: str, vector: Floats | None) -> str:
    if vector is None:
        return f'<section class="kept"><h4>{name}</h4><p class="facts">is not kept</p></section>'
    facts = f"{kind} · {len(vector)} dimensions · {decimal(vector.size * _FLOAT)} as float32 · in Chroma"
    return (
        f'<section class="kept"><h4>{name}</h4><p class="facts">{facts}</p>'
        f'<img class="strip" alt="{name}: {_range(vector)}" src="{picture(vector[None, :])}"></section>'
    )


def _matrix(stored: StoredPassage) -> str:
    rows, dimensions = stored.matrix.shape
    shared = (
        ""
        if stored.has_a_row_a_token
        else f" · {plural(len(stored.tokens), 'token')} share {plural(rows, 'vector')}"
    )
    facts = (
        f"{plural(rows, 'vector')} of {dimensions} dimensions · codec {escape(stored.codec)} · "
        f"{decimal(stored.code_bytes)} of codes · {decimal(stored.map_bytes)} of places in the text{shared}"
    )
    names = (
        "".join(f"<li>{escape(token)}</li>" for token in stored.tokens) if stored.has_a_row_a_token else ""
    )
    alternative = f"Token matrix: {plural(rows, 'row')}, {_range(stored.matrix)}"
    return (
        f'<section class="kept"><h4>Token matrix</h4><p class="facts">{facts}</p>'
        '<div class="matrix" tabindex="0" role="region" aria-label="Token matrix">'
        f'<ol aria-label="Tokens">{names}</ol>'
        f'<img alt="{alternative}" src="{picture(stored.matrix)}" style="height:{rows * ROW}px"></div>'
        "</section>"
    )


def _range(values: Floats) -> str:
    return f"values from {values.min():.2f} to {values.max():.2f}"


def _bytes(stored: StoredPassage) -> str:
    vector = stored.mean if stored.mean is not None else stored.cls
    single = 0 if vector is None else vector.size * _FLOAT
    tokens = stored.code_bytes + stored.map_bytes
    longest = max(single, tokens, stored.text_bytes, 1)
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td><span class="length" style="width:{100 * value / longest:.1f}%">'
        f"</span></td><td>{value:,} bytes</td><td>{words}</td></tr>"
        for name, value, words in (
            (
                "text",
                stored.text_bytes,
                "SQLite, for citing; the index of words takes about half as much again",
            ),
            ("single-vector store", single, "one vector of CLS or mean, and its edges in Chroma's graph"),
            ("token store", tokens, "a vector a token, and copies of the single vectors to repair Chroma"),
        )
    )
    ratio = f" The token store takes {tokens / single:.1f} times the single vector." if single else ""
    return (
        f'<p class="facts sizes">What each store keeps of this passage.{ratio}</p>'
        '<div class="scroll" tabindex="0" role="region" aria-label="Bytes by store">'
        f'<table class="bytes" aria-label="Bytes by store"><tbody>{rows}</tbody></table></div>'
    )


def picture(values: Floats) -> str:
    """Return an array [h, w] as a PNG of h × w pixels, in a data URI.

    The strongest number is opaque, 0 is transparent; positive and negative numbers differ in colour.
    """
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    pixels = np.zeros((*values.shape, 4), np.uint8)
    pixels[..., :3] = np.where(values[..., None] >= 0, _POSITIVE, _NEGATIVE)
    pixels[..., 3] = np.rint(255 * np.abs(values) / largest)
    stream = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(stream, "PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def render_trace(trace: Trace) -> str:
    """Return the steps from question to answer, each with its count and its time, then the answer."""
    steps = stages(trace)
    slowest = max((stage.milliseconds or 0.0 for step in steps for stage in step), default=0.0) or 1.0
    boxes = "".join(
        f'<li class="{"step many" if len(step) > 1 else "step"}">'
        f"{''.join(_stage(stage, slowest) for stage in step)}</li>"
        for step in steps
    )
    result, answer = trace.found.result, trace.answer
    reranker = f", reranked by {escape(result.reranker)}" if result.reranker else ""
    return (
        f'<p class="asked">{escape(answer.question)}</p>'
        f'<p class="facts"><b>{escape(result.strategy)}</b>{reranker} · '
        f"{milliseconds(answer.timings_ms.get('total', 0.0))} in all · answered with quotations, no LLM</p>"
        f'<ol class="flow" aria-label="From question to answer">{boxes}</ol>'
        f'<div class="said" dir="auto">{escape(answer.text)}</div>'
    )


def _stage(stage: InspectedStage, slowest: float) -> str:
    time, bar = "", ""
    if stage.milliseconds is not None:
        time = f'<span class="time">{milliseconds(stage.milliseconds)}</span>'
        share = 100 * stage.milliseconds / slowest
        bar = f'<span class="share" aria-hidden="true"><i style="width:{share:.1f}%"></i></span>'
    return (
        f'<div class="stage"><div class="name">{escape(stage.name)}{time}</div>{bar}'
        f'<div class="result">{escape(stage.result)}</div>'
        f'<div class="detail">{escape(stage.detail)}</div></div>'
    )
