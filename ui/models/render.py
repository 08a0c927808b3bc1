"""The list of models, the work on them, and its results."""

from collections.abc import Mapping, Sequence

from rich.filesize import decimal

from rag_app.llm.servers.served_model import ServedModel
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
from rag_app.tasks import TaskState
from ui.components.text import escape, plural, progress_bar, render_failure

ROLES = (
    ("llm", "Language models", "Write the answer from the passages. Without one, answers are quotations."),
    ("reranker", "Rerankers", "Read the question together with each passage found."),
    ("embedder", "Embedders", "One vector a passage."),
    ("colbert", "ColBERT", "One vector a token."),
)
_KINDS = {"llm": "language model", "reranker": "reranker", "embedder": "embedder", "colbert": "ColBERT"}
_STATES = {
    Presence.BUILT_IN: ("here", "built in"),
    Presence.VERIFIED: ("here", "installed, verified"),
    Presence.UNRECORDED: ("here", "in the Hugging Face cache; not verified"),
    Presence.CHANGED: ("damaged", "damaged: not what was recorded, so not used"),
    Presence.ABSENT: ("absent", "not installed"),
}
_FITS = {
    Fit.FITS: ("", "fits this machine"),
    Fit.TIGHT: ("tight", "tight: close other programs first"),
    Fit.TOO_LARGE: ("damaged", "more than this machine has"),
    Fit.UNKNOWN: ("", ""),
}
_PROMPT_FORMS = {
    "chat": "prompts: chat",
    "completion": "prompts: completion (a base model)",
}
_USED = '<span class="used">in use</span>'
_REASONING = {True: "possible", False: "none", None: "not known"}
_HERE = (Presence.BUILT_IN, Presence.VERIFIED, Presence.UNRECORDED)


def render_network(host: str, *, network: bool) -> str:
    """Return what a pull sends to the hub, or how to get models onto a machine without a network."""
    if not network:
        return (
            '<div class="offline" role="status"><b>This machine has no network</b>, so no model can be '
            "downloaded. On a machine with a network, run <code>rag-app models pull NAME</code> and then "
            "<code>rag-app models bundle FILE</code>; carry the file here and add it below.</div>"
        )
    return (
        f"<p>Downloads come from <b>{escape(host)}</b> and the storage that it names. No question and no "
        "document goes along.</p>"
    )


def render_device(line: str) -> str:
    """Return where encoders and rerankers run, given as "DEVICE: REASON"."""
    device, _, reason = line.partition(": ")
    return f"<p>Encoders and rerankers run on <b>{escape(device)}</b>: {escape(reason)}.</p>"


def render_models(states: Sequence[ModelState], task: ModelTask | None, *, missing: str | None = None) -> str:
    """Return the models, those on this machine first, then what there is of each role.

    While a task runs, buttons that begin another one are disabled.

    Args:
        missing: What language models in files need and is not installed, as a sentence.
    """
    busy = task is not None and task.task.state is TaskState.RUNNING
    by_role = sorted(states, key=lambda one: [role for role, *_ in ROLES].index(one.entry.role))
    found = [one for one in by_role if one.presence is not Presence.ABSENT]
    parts = []
    if missing:
        told = escape(f"{missing[0].upper()}{missing[1:]}")
        parts.append(f'<div class="offline" role="status">{told}</div>')
    parts.append(_section("Installed", "On this machine.", found, busy=busy, names_kind=True))
    for role, title, about in ROLES:
        absent = [one for one in states if one.presence is Presence.ABSENT and one.entry.role == role]
        parts.append(_section(title, about, absent, busy=busy))
    return "".join(parts)


def _section(
    title: str, about: str, states: Sequence[ModelState], *, busy: bool, names_kind: bool = False
) -> str:
    if not states:
        return ""
    rows = "".join(_row(one, busy=busy, names_kind=names_kind) for one in states)
    head = f'<h3>{title}</h3><p class="about">{about}</p>'
    return f'<section>{head}<ul class="models">{rows}</ul></section>'


def render_served(models: Sequence[ServedModel], llm: str) -> str:
    """Return the models of servers on this machine; `llm` is the one that the settings name."""
    if not models:
        return ""
    rows = "".join(
        f'<li><div class="what"><bdi class="name">{escape(one.name)}</bdi>'
        f"{_USED if one.url == llm else ''}"
        f'<p class="note"><code>{escape(one.url)}</code></p></div>'
        f'<div class="fact"><span class="label">Server</span>{escape(one.kind)}</div>'
        f'<div class="fact"><span class="label">Window</span>{_window(one)}</div>'
        f'<div class="fact"><span class="label">Reasoning</span>{_REASONING[one.thinks]}</div></li>'
        for one in models
    )
    about = "Found on this machine. Choose one as LLM under Chat: questions and passages then go to it."
    return f'<section><h3>Servers</h3><p class="about">{about}</p><ul class="models">{rows}</ul></section>'


def _window(model: ServedModel) -> str:
    return f"{model.context_tokens:,} tokens" if model.context_tokens else "not known"


def render_task(task: ModelTask | None) -> str:
    """Return how far a task is, or how it ended."""
    if task is None:
        return ""
    match task.task.state:
        case TaskState.RUNNING:
            return _running(task)
        case TaskState.CANCELLED:
            kept = (
                " What was downloaded is kept; Download goes on where it stopped."
                if task.task.kind == PULL
                else ""
            )
            return f'<p class="ended">{escape(task.name)}: cancelled.{kept}</p>'
        case TaskState.FAILED:
            return render_failure(task.task.error)
        case _:
            return _done(task)


def _running(task: ModelTask) -> str:
    name, done, total = task.name, task.task.done, task.task.total
    words = {
        PULL: f"Downloading {name}: asking the hub",
        VERIFY: f"Hashing {name or 'every recorded model'}",
        ADD: f"Hashing the files of {name}",
        UNBUNDLE: f"Reading {name}",
    }[task.task.kind]
    if total and done == total:
        words = f"Checking the hashes of {name}"
    elif total:
        doing = "Downloading" if task.task.kind == PULL else "Reading"
        words = f"{doing} {name}: {decimal(done)} of {decimal(total)}"
    bar = progress_bar(done / total if total else None, words)
    return f'<div class="working" role="status"><p>{escape(words)}</p>{bar}</div>'


def _done(task: ModelTask) -> str:
    match task.task.result:
        case PulledFiles(size, commit):
            return (
                f'<p class="ended">{escape(task.name)} is installed and verified: {decimal(size)}, '
                f"commit {escape((commit or '')[:12])}.</p>"
            )
        case AddedModels(names) if task.task.kind == UNBUNDLE:
            return f'<p class="ended">Installed and verified: {escape(", ".join(names))}.</p>'
        case AddedModels((name,)):
            return f'<p class="ended">Added {escape(name)}.</p>'
        case VerifiedModels(faults):
            return _verified(faults)
        case _:
            return ""


def _verified(faults: Mapping[str, Sequence[str]]) -> str:
    if not faults:
        return '<p class="ended">Nothing to verify: no model was downloaded or added.</p>'
    whole = [name for name, wrong in faults.items() if not wrong]
    lines = [
        f"<li>{escape(name)}: {escape('; '.join(wrong))}</li>" for name, wrong in faults.items() if wrong
    ]
    said = f'<p class="ended">As recorded: {escape(", ".join(whole))}.</p>' if whole else ""
    if lines:
        said += f'<div class="failed" role="alert">Not what was recorded:<ul>{"".join(lines)}</ul></div>'
    return said


def render_used(used: UsedModel) -> str:
    """Return the effect of using a model, or the step that is left."""
    name = escape(used.entry.name)
    if used.setting:
        said = f"{name} is the {used.setting} now, and stands in {escape(str(used.file))} for the next start."
        if used.overridden_by:
            said = (
                f"{name} stands in {escape(str(used.file))} now; but the variable "
                f"{escape(used.overridden_by)} is set and comes before the file."
            )
    elif used.command:
        said = (
            f"First encode the passages with {name}: <code>{escape(used.command)}</code>. Then choose a "
            f"strategy that ends in @{name}, such as mean@{name}."
        )
    else:
        said = f"{name} is built in, and always used."
    if used.fit in (Fit.TIGHT, Fit.TOO_LARGE):
        said += f" Its {decimal(used.entry.memory_mb * 10**6)} of memory: {_FITS[used.fit][1]}."
    return f'<p class="ended">{said}</p>'


def render_removal(state: ModelState) -> str:
    """Return the question whether to remove a model, with the consequences."""
    entry = state.entry
    deleted = f"{decimal(state.bytes)} are deleted. " if state.bytes and entry.is_pulled else ""
    after = "It leaves the list." if state.added else "It can be downloaded again."
    stays = " Its files stay where they are." if state.added and not entry.repo else ""
    what = f"{deleted}{after}{stays}"
    used = " It is in use; choose another one afterwards." if state.in_use else ""
    return f"<div>Remove <b><bdi>{escape(entry.name)}</bdi></b>? {what}{used}</div>"


def render_removed(entry: ModelEntry, freed: int) -> str:
    """Return the message after a model was removed."""
    return f'<p class="ended">Removed {escape(entry.name)}: {decimal(freed)} freed.</p>'


def _row(state: ModelState, *, busy: bool, names_kind: bool) -> str:
    entry = state.entry
    sort = f'<span class="sort">{_KINDS[entry.role]}</span>' if names_kind else ""
    kind, words = _STATES[state.presence]
    used = _USED if state.in_use else ""
    form = f'<span class="form">{_PROMPT_FORMS[state.prompt_form]}</span>' if state.prompt_form else ""
    fit_kind, fit = _FITS[state.fit]
    needs = f"needs {decimal(entry.memory_mb * 10**6)}" if entry.memory_mb else ""
    memory = f'{needs}<span class="fit {fit_kind}">{fit}</span>' if needs else "none of its own"
    return (
        f'<li><div class="what"><bdi class="name">{escape(entry.name)}</bdi>{sort}{used}'
        f'<p class="note">{escape(entry.note)}</p></div>'
        f'<div class="fact"><span class="label">State</span>'
        f'<span class="state {kind}">{words}</span>{form}</div>'
        f'<div class="fact"><span class="label">Size</span>{_takes(state)}</div>'
        f'<div class="fact"><span class="label">Memory</span>{memory}</div>'
        f'<div class="fact"><span class="label">Licence</span>{escape(entry.licence)}</div>'
        f'<div class="acts">{_buttons(state, busy=busy)}</div></li>'
    )


def _takes(state: ModelState) -> str:
    if state.bytes:
        return decimal(state.bytes)
    if state.entry.download_mb:
        return f"{decimal(state.entry.download_mb * 10**6)} to download"
    return "came with the application" if state.presence is Presence.BUILT_IN else "not known"


def _buttons(state: ModelState, *, busy: bool) -> str:
    entry, recorded = state.entry, state.presence in (Presence.VERIFIED, Presence.CHANGED)
    can_use = state.presence in _HERE and state.presence is not Presence.BUILT_IN
    can_use = can_use or (state.presence is Presence.BUILT_IN and entry.role == "reranker")
    buttons = [
        _button("pull", "Download", entry, busy)
        if entry.is_pulled and state.presence is not Presence.VERIFIED
        else "",
        _button("use", "Use", entry, False) if can_use and not state.in_use else "",
        _button("verify", "Verify", entry, busy) if recorded else "",
        _button("remove", "Remove", entry, busy) if recorded or state.added else "",
    ]
    return "".join(buttons)


def _button(act: str, words: str, entry: ModelEntry, disabled: bool) -> str:
    off = " disabled" if disabled else ""
    name = escape(entry.name)
    return (
        f'<button type="button" data-act="{act}" data-role="{entry.role}" data-name="{name}" '
        f'aria-label="{words} {name}"{off}>{words}</button>'
    )


def render_total(states: Sequence[ModelState]) -> str:
    """Return the number of models here and the space that they take."""
    here = [state for state in states if state.presence in _HERE]
    taken = sum(state.bytes for state in states)
    return (
        f'<p class="note">{plural(len(here), "model")} installed, {decimal(taken)} in the models folder.</p>'
    )
