"""The panes beside the chat as HTML: kept conversations, documents, and the sources of an answer."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ingestion.documents import Status
from ingestion.storage.catalogue.records import Document
from rag_app.answering.answers import Citation, Evidence
from rag_app.history.conversations import Conversation
from retrievers.hits import Hit
from retrievers.search import SearchResult
from ui.chat.viewer import SourceLocation, opens
from ui.components.answer_text import source_id
from ui.components.samples import is_sample
from ui.components.text import Span, also_known, escape, flow, marked, milliseconds, plural, stage_times
from ui.components.turns import ChatTurn
from ui.components.uploads import FileRow, render_bar, render_rows

NO_CONVERSATIONS = '<div class="empty">Conversations are kept here, on this machine.</div>'
# Characters of a search.
LONGEST_SEARCH = 200
SEARCH_FIELD = (
    '<input type="search" placeholder="Search chats" aria-label="Search chats" autocomplete="off" '
    f'title="Words of a title, question or answer; Esc shows all" maxlength="{LONGEST_SEARCH}">'
)
NO_EVIDENCE = '<div class="empty">Sources appear here.</div>'

# Judgements of passages by chunk id: 1 answers the question, 0 does not.
Grades = Mapping[str, int]

# Conversations that are listed, latest first.
_CONVERSATIONS = 100
_SAMPLE = ' · <span title="It comes with the application, to try it out.">sample</span>'
# Uploads that are shown of each mood, and failed uploads.
_UPLOADS, _FAILED = 5, 20
# Passages that are shown unfolded where the answer cites none.
_UNFOLDED = 2


def render_conversations(
    conversations: Sequence[Conversation], current: str | None, now: datetime, *, search: str = ""
) -> str:
    """Return the latest conversations as a list, with the current one marked.

    Args:
        search: The words that they were searched for.
    """
    if not conversations:
        return _none_found(search) if search else NO_CONVERSATIONS
    rows = "".join(
        _conversation(one, current=one.id == current, now=now) for one in conversations[:_CONVERSATIONS]
    )
    found = f'<p class="total" role="status">{plural(len(conversations), "chat")} found</p>' if search else ""
    left = len(conversations) - _CONVERSATIONS
    more = f'<p class="more">and {left:,} older; rag-app conversations list has all</p>' if left > 0 else ""
    return f'{found}<ul class="conversations">{rows}</ul>{more}'


def _none_found(search: str) -> str:
    return (
        f'<div class="empty" role="status"><b>No chat has “<bdi>{escape(search)}</bdi>”.</b> '
        "Try fewer or other words; Esc shows all chats.</div>"
    )


def _conversation(one: Conversation, *, current: bool, now: datetime) -> str:
    mark = ' aria-current="true"' if current else ""
    match = one.match
    title = marked(one.title, match.title_spans if match else ()) or "Untitled"
    words = (
        f'<span class="excerpt" dir="auto">{marked(match.text, match.spans)}</span>'
        if match and match.text
        else ""
    )
    return (
        f'<li><button type="button" data-conversation="{escape(one.id)}"{mark}>'
        f'<bdi class="name">{title}</bdi>{words}'
        f'<span class="size">{ago(one.updated, now)} · {plural(one.turns, "question")}</span></button></li>'
    )


def ago(moment: str, now: datetime) -> str:
    """Return the time since a moment (UTC in ISO 8601), in words."""
    then = datetime.fromisoformat(moment)
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    minutes = int((now - then).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    if minutes < 24 * 60:
        return f"{minutes // 60} h ago"
    days = minutes // (24 * 60)
    return f"{plural(days, 'day')} ago" if days < 14 else then.date().isoformat()


def render_documents(documents: Sequence[Document], collection: str | None = None) -> str:
    """Return the documents as a list; for none, what to do, with the collection's name."""
    if not documents:
        where = f" in <bdi>{escape(collection)}</bdi>" if collection else ""
        return (
            f'<div class="empty"><b>No documents{where} yet.</b> '
            "Drop PDF, Office, OpenDocument, e-mail, e-book, web, CSV, JSON, Markdown, text or code files "
            "above, or archives of them.</div>"
        )
    pages = sum(document.pages for document in documents)
    total = f"{plural(len(documents), 'document')}, {plural(pages, 'page')}"
    return f'<div class="total">{total}</div><ul class="documents">{"".join(map(_document, documents))}</ul>'


def render_confirmation(document: Document) -> str:
    """Return the question whether to delete a document, with the consequences."""
    return (
        f"<div>Delete <b><bdi>{escape(document.label)}</bdi></b>{also_known(document.names)}? "
        "This removes it from the library. Your original file is not touched.</div>"
    )


def _document(document: Document) -> str:
    size = plural(document.pages, "page")
    status = ""
    if document.status is not Status.OK:
        words = document.status.replace("_", " ")
        status = f' · <span class="status" title="{escape(document.error or words)}">{escape(words)}</span>'
    name = escape(document.label)
    sample = _SAMPLE if is_sample(document) else ""
    return (
        f'<li><bdi class="name" title="{escape(document.path)}">{name}</bdi>'
        f'<span class="size">{size}{sample}{status}{also_known(document.names)}</span>'
        f'<button type="button" data-delete="{escape(document.id)}" title="Delete" '
        f'aria-label="Delete {name}">&times;</button></li>'
    )


def render_uploads(rows: Sequence[FileRow]) -> str:
    """Return the queue as a list; nothing for no rows."""
    listed = render_rows(rows, _upload, most=_UPLOADS, failed=_FAILED)
    return f'<ul class="uploads">{listed}</ul>' if rows else ""


def _upload(row: FileRow) -> str:
    where = " (enter it under Library)" if row.wants_password else ""
    return (
        f'<li class="{row.mood}"><bdi class="name">{escape(row.name)}</bdi>'
        f'<span class="words">{escape(row.words)}{where}</span>{render_bar(row)}</li>'
    )


def render_sources(turn: ChatTurn | None, grades: Grades | None = None) -> str:
    """Return the cards of a turn: its evidence, cited or not, then the other passages found."""
    grades = grades or {}
    if turn is None:
        return NO_EVIDENCE
    if turn.found is None:
        if turn.error is not None:
            return '<div class="empty">No sources: the question failed.</div>'
        ended = "No sources: the question was stopped before passages were found."
        return f'<div class="empty">{"Searching …" if turn.pending else ended}</div>'
    result, answer = turn.found.result, turn.answer or turn.partial
    if not result.hits:
        said = answer is not None and not answer.abstained
        none = (
            "No documents were read for this reply."
            if said
            else "<b>Nothing was found.</b> Add documents, or ask in other words."
        )
        return f'<div class="empty">{none}</div>'
    summary = _summary(turn, result)
    if answer is not None and answer.abstained and not answer.citations:
        cards = [
            _card(turn.number, hit.rank, hit, grades, unfolded=hit.rank <= _UNFOLDED)
            for hit in answer.nearest
        ]
        return f"{summary}{_list('Closest passages', cards)}"
    evidence = answer.evidence if answer else turn.found.packed.evidence
    citations = answer.citations if answer else ()
    used = {item.hit.chunk.id for item in evidence}
    cited: list[str] = []
    read: list[str] = []
    for place, item in enumerate(evidence):
        spans = cited_spans(item, citations)
        unfolded = bool(spans) if citations else place < _UNFOLDED
        card = _card(turn.number, item.number, item.hit, grades, spans=spans, unfolded=unfolded)
        (cited if spans else read).append(card)
    others = [
        _card(turn.number, None, hit, grades, unfolded=turn.search_only and hit.rank <= _UNFOLDED)
        for hit in result.hits
        if hit.chunk.id not in used
    ]
    return (
        summary
        + _list("Closest passages" if answer and answer.abstained else "Cited", cited)
        + _list("Also used" if citations else "Passages", read)
        + _list("Found" if turn.search_only else "Other matches", others)
    )


def cited_spans(evidence: Evidence, citations: Sequence[Citation]) -> list[Span]:
    """Return the cited characters of the evidence's chunk, counted from the chunk's start."""
    chunk = evidence.hit.chunk
    return [
        (citation.start - chunk.start, citation.end - chunk.start)
        for citation in citations
        if citation.marker == evidence.number
        and citation.document_id == chunk.document_id
        and citation.page == chunk.page
    ]


def _summary(turn: ChatTurn, result: SearchResult) -> str:
    total = f" in {milliseconds(result.timings_ms['total'])}" if "total" in result.timings_ms else ""
    how = "" if result.exact else ' <span title="A better passage may be missing.">(approximate)</span>'
    return (
        f'<div class="summary"><div class="asked">{escape(turn.question)}</div>'
        '<details class="more"><summary aria-label="How they were found">⋯</summary>'
        f"{plural(len(result.hits), 'passage')} by <b>{escape(result.strategy)}</b>{how}{total}"
        f'<div class="stages">{stage_times(result.timings_ms)}</div></details></div>'
    )


def _list(title: str, cards: Sequence[str]) -> str:
    if not cards:
        return ""
    return f"<h3>{escape(title)}</h3><ol>{''.join(f'<li>{card}</li>' for card in cards)}</ol>"


def _card(
    turn: int,
    number: int | None,
    hit: Hit,
    grades: Grades,
    *,
    spans: Sequence[Span] = (),
    unfolded: bool = False,
) -> str:
    chunk = hit.chunk
    name = f'<span class="number">{number}</span>' if number is not None else ""
    identity = f' id="{source_id(turn, number)}"' if number is not None else ""
    heading, page = escape(chunk.heading or ""), f"page {chunk.page}"
    if chunk.is_code:
        heading, page = "", f"{page}, {heading}"
    heading = f'<div class="heading">{heading}</div>' if heading else ""
    return (
        f'<details class="card{" cited" if spans else ""}"{identity}{" open" if unfolded else ""}>'
        f'<summary>{name}<bdi class="document">{escape(chunk.document)}</bdi>'
        f'<span class="page">{page}</span></summary>'
        f'{heading}<div class="passage{" code" if chunk.is_code else ""}" dir="auto">'
        f"{marked(chunk.text if chunk.is_code else flow(chunk.text), spans)}</div>"
        f"{_scores(hit)}{_source_actions(turn, hit, grades.get(chunk.id))}</details>"
    )


def _scores(hit: Hit) -> str:
    scores = {"score": hit.score, **hit.scores}
    parts = [f"rank {hit.rank}", *(f"{escape(name)} {score:.3f}" for name, score in scores.items())]
    return f'<details class="more"><summary aria-label="Scores">⋯</summary>{" · ".join(parts)}</details>'


def _source_actions(turn: int, hit: Hit, grade: int | None) -> str:
    place = SourceLocation(turn, hit.chunk.id, hit.chunk.document_id, hit.chunk.page)
    judging = "".join(
        f'<button type="button" data-grade="{value}" data-turn="{turn}" data-chunk="{escape(hit.chunk.id)}" '
        f'aria-pressed="{str(grade == value).lower()}" title="{title}">{label}</button>'
        for value, label, title in (
            (1, "Relevant", "Keep that this passage answers the question"),
            (0, "Not relevant", "Keep that it does not"),
        )
    )
    return (
        f'<div class="actions"><button type="button" class="main" {opens(place, "page")}>Show page</button>'
        f'<button type="button" {opens(place, "why")}>Why?</button><span class="gap"></span>{judging}</div>'
    )
