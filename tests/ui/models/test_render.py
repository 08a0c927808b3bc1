"""What the Models page shows of values that one can check by eye."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.errors import ModelError
from rag_app.config.logging import report_unexpected
from rag_app.llm.choice import Server
from rag_app.llm.gguf_head import PromptForm
from rag_app.llm.servers.served_model import ServedModel, ServerKind
from rag_app.model_store.manifest import ModelEntry
from rag_app.model_store.memory import Fit
from rag_app.model_store.model_tasks import (
    ADD,
    PULL,
    UNBUNDLE,
    VERIFY,
    AddedModels,
    ModelTask,
    PulledFiles,
    VerifiedModels,
)
from rag_app.model_store.store import ModelState, Presence, UsedModel
from rag_app.tasks import Task, TaskState
from ui.components.text import INTERNAL_ERROR
from ui.models.render import (
    render_device,
    render_models,
    render_network,
    render_removal,
    render_served,
    render_task,
    render_used,
)

ENTRY = ModelEntry("reranker", "<b>small", "hf:owner/small", ("*",), "MIT", 92, 300, "a <i>note")


def state(presence: Presence, **fields: object) -> ModelState:
    given = {
        "added": False,
        "in_use": False,
        "fit": Fit.FITS,
        "bytes": 0,
        "commit": None,
        "prompt_form": None,
        **fields,
    }
    return ModelState(entry=given.pop("entry", ENTRY), presence=presence, **given)  # type: ignore[arg-type]


def acts(html: str) -> list[str]:
    return re.findall(r'data-act="(\w+)"', html)


BUILT_IN = ModelEntry("reranker", "builtin", "file:x", ("x",), "MIT", 0, 150, "")
ENCODER = ModelEntry("embedder", "e", "package:e", ("x",), "MIT", 0, 300, "")


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (state(Presence.ABSENT), ["pull"]),
        (state(Presence.VERIFIED, bytes=10**7), ["use", "verify", "remove"]),
        (state(Presence.VERIFIED, bytes=10**7, in_use=True), ["verify", "remove"]),
        (state(Presence.CHANGED, bytes=10**7), ["pull", "verify", "remove"]),
        (state(Presence.UNRECORDED), ["pull", "use"]),
        (state(Presence.ABSENT, added=True), ["pull", "remove"]),
        (state(Presence.BUILT_IN, entry=BUILT_IN), ["use"]),
        (state(Presence.BUILT_IN, entry=BUILT_IN, in_use=True), []),
        (state(Presence.BUILT_IN, entry=ENCODER, in_use=True), []),
    ],
)
def test_a_model_offers_what_can_be_done_with_it(one: ModelState, wanted: list[str]) -> None:
    html = render_models([one], None)
    assert acts(html) == wanted
    assert ('class="used"' in html) is one.in_use
    assert "disabled" not in html


def test_what_is_known_of_a_model_is_shown_as_text() -> None:
    html = render_models([state(Presence.ABSENT, fit=Fit.TOO_LARGE)], None)
    assert "92.0 MB to download" in html
    assert "needs 300.0 MB" in html
    assert "more than this machine has" in html
    assert 'aria-label="Download &lt;b&gt;small"' in html
    assert "<i>" not in html
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (PromptForm.CHAT, "prompts: chat"),
        (PromptForm.COMPLETION, "prompts: completion (a base model)"),
    ],
)
def test_the_form_of_prompts_is_in_words(form: PromptForm, words: str) -> None:
    assert f'<span class="form">{words}</span>' in render_models(
        [state(Presence.VERIFIED, prompt_form=form)], None
    )
    assert "form" not in render_models([state(Presence.VERIFIED)], None)


def test_nothing_else_is_begun_while_something_is_under_way() -> None:
    html = render_models([state(Presence.VERIFIED)], task(PULL))
    assert re.findall(r'data-act="(\w+)"[^>]*disabled', html) == ["verify", "remove"]


def task(kind: str, status: TaskState = TaskState.RUNNING, **fields: object) -> ModelTask:
    return ModelTask("reranker", "<b>small", replace(Task("t", kind, status, "now"), **fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (task(PULL), "Downloading &lt;b&gt;small: asking the hub"),
        (task(PULL, done=2 * 10**6, total=4 * 10**6), "Downloading &lt;b&gt;small: 2.0 MB of 4.0 MB"),
        (task(PULL, done=4, total=4), "Checking the hashes of &lt;b&gt;small"),
        (task(UNBUNDLE, done=10**6, total=4 * 10**6), "Reading &lt;b&gt;small: 1.0 MB of 4.0 MB"),
        (task(UNBUNDLE, TaskState.DONE, result=AddedModels(("a", "<b>"))), "verified: a, &lt;b&gt;."),
        (task(VERIFY), "Hashing &lt;b&gt;small"),
        (task(PULL, TaskState.CANCELLED), "Download goes on where it stopped"),
        (task(PULL, TaskState.FAILED, error=ModelError("the hub <x> said no")), "the hub &lt;x&gt; said no"),
        (task(PULL, TaskState.FAILED, error=KeyError("secret")), f">{INTERNAL_ERROR}<"),
        (task(PULL, TaskState.DONE, result=PulledFiles(4 * 10**6, "0123456789abcd")), "789ab."),
        (task(ADD, TaskState.DONE, result=AddedModels(("<b>",))), "Added &lt;b&gt;."),
        (task(VERIFY, TaskState.DONE, result=VerifiedModels({})), "Nothing to verify:"),
        (task(VERIFY, TaskState.DONE, result=VerifiedModels({"a": [], "b": ["f: <x>"]})), "As recorded: a"),
        (task(VERIFY, TaskState.DONE, result=VerifiedModels({"b": ["f is damaged: <x>"]})), "&lt;x&gt;"),
    ],
)  # fmt: skip
def test_work_is_in_words(one: ModelTask, words: str) -> None:
    html = render_task(one)
    assert words in html
    assert "<b>small" not in html
    assert "secret" not in html


def test_a_failed_task_names_the_request_that_the_log_has() -> None:
    logged = KeyError("secret")
    identity = report_unexpected(logged)
    html = render_task(task(PULL, TaskState.FAILED, error=logged))
    assert f">{INTERNAL_ERROR} (request {identity})<" in html


def test_no_work_is_nothing() -> None:
    assert render_task(None) == ""


def test_using_says_what_remains_to_be_done() -> None:
    file = Path("/settings.toml")
    assert "is the reranker now" in render_used(UsedModel(ENTRY, Fit.FITS, "reranker", file, None, None))
    set_elsewhere = UsedModel(ENTRY, Fit.TIGHT, "reranker", file, "RAG_APP_RERANKER", None)
    assert "RAG_APP_RERANKER is set and comes before the file" in render_used(set_elsewhere)
    assert "300.0 MB of memory: tight" in render_used(set_elsewhere)
    command = render_used(UsedModel(ENTRY, Fit.FITS, None, None, None, "rag-app reindex <x>"))
    assert "<code>rag-app reindex &lt;x&gt;</code>" in command


def test_removing_says_what_is_lost() -> None:
    assert "10.0 MB are deleted. It can be downloaded again." in render_removal(
        state(Presence.VERIFIED, bytes=10**7)
    )
    local = replace(ENTRY, source="file:/models/x.gguf")
    html = render_removal(state(Presence.VERIFIED, entry=local, added=True, in_use=True))
    assert "It leaves the list. Its files stay where they are." in html
    assert "It is in use" in html


def test_what_leaves_the_machine_is_said() -> None:
    assert "<b>huggingface.co</b>" in render_network("huggingface.co", network=True)
    offline = render_network("huggingface.co", network=False)
    assert "This machine has no network" in offline
    assert "rag-app models bundle FILE" in offline
    assert "carry the file here and add it below" in offline


def test_models_of_servers() -> None:
    assert render_served([], "auto") == ""
    one = ServedModel(Server("http://127.0.0.1:8080/v1", "<b>&"), ServerKind.LLAMA_SERVER, 6_144, True)
    other = replace(one, server=Server("http://127.0.0.1:1234/v1", "b"), context_tokens=None, thinks=None)
    html = render_served([one, other], other.url)
    assert "<b>" not in html
    assert "&lt;b&gt;&amp;" in html
    assert "http://127.0.0.1:8080/v1#&lt;b&gt;&amp;" in html
    assert "6,144 tokens" in html
    assert html.count("not known") == 2  # window and reasoning of the other
    assert html.count('class="used"') == 1
    assert acts(html) == []


def test_the_device_is_said_in_one_line() -> None:
    assert render_device("cuda: NVIDIA <H200>: 1") == (
        "<p>Encoders and rerankers run on <b>cuda</b>: NVIDIA &lt;H200&gt;: 1.</p>"
    )
