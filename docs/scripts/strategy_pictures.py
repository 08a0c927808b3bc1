"""The pictures of the strategies: what is stored, what a question meets, how lists become one."""

from collections.abc import Sequence
from html import escape

_STYLE = """\
svg { font: 14px system-ui, sans-serif; } text { fill: #1e293b; } .quiet { fill: #64748b; font-size: 12px; }
.page { fill: #fff; } .box { fill: #f1f5f9; stroke: #94a3b8; } .a { fill: #0f766e; } .b { fill: #b45309; }
.best { fill: none; stroke: #b91c1c; stroke-width: 2; } .on { fill: #fff; } .bold { font-weight: 600; }
path { stroke: #64748b; fill: none; stroke-width: 1.4; }
#tip path { fill: #64748b; stroke: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #e2e8f0; } .quiet { fill: #94a3b8; } .page { fill: #1e2129; } .box { fill: #2b303b; }
  .on { fill: #fff; } .a { fill: #0d9488; } path { stroke: #94a3b8; } .best { stroke: #f87171; }
}"""

_QUESTION = ("turbine", "blade", "repair")
_PASSAGE = ("crack", "in", "rotor", "blade")
_COSINES = ((0.31, 0.12, 0.78, 0.42), (0.35, 0.10, 0.47, 0.96), (0.52, 0.08, 0.22, 0.30))
_RRF_K = 60


def files() -> dict[str, str]:
    """Return the pictures, by their paths below docs/."""
    pictures = {
        "one-pass": _one_pass(),
        "bi-encoder": _bi_encoder(),
        "late-interaction": _late_interaction(),
        "inverted-index": _inverted_index(),
        "rank-fusion": _rank_fusion(),
        "cascade-and-fusion": _cascade_and_fusion(),
        "reranker": _reranker(),
    }
    return {f"pictures/{name}.svg": picture for name, picture in pictures.items()}


def _svg(width: int, height: int, label: str, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(label)}">\n<style>\n{_STYLE}\n</style>\n'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>\n'
        f'<rect class="page" width="{width}" height="{height}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "middle") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" class="{kind}">{escape(text)}</text>'


def _box(x: float, y: float, width: float, text: str, kind: str = "box", height: float = 32) -> str:
    words = _text(x + width / 2, y + height / 2 + 5, text, "" if kind == "box" else "on")
    return f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5"/>{words}'


def _arrow(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<path marker-end="url(#tip)" d="M{x:g} {y:g}L{to_x:g} {to_y:g}"/>'


def _one_pass() -> str:
    tokens = ("[CLS]", "crack", "in", "rotor", "blade")
    parts = [_text(20, 42, "passage", "quiet", "start"), _text(20, 170, "token vectors", "quiet", "start")]
    for place, token in enumerate(tokens):
        x = 130 + place * 92
        parts += [_box(x, 22, 80, token), _arrow(x + 40, 54, x + 40, 76), _arrow(x + 40, 118, x + 40, 146)]
        parts.append(_box(x, 150, 80, "", "b" if place == 0 else "a"))
    parts.append(_box(130, 80, 448, "encoder: one pass"))
    for x, from_x, name, kind, note in (
        (110, 170, "cls", "b", "the [CLS] vector"),
        (270, 354, "mean", "box", "the vectors' mean"),
        (450, 446, "colbert", "a", "all vectors, 128 numbers each"),
    ):
        parts += [
            _arrow(from_x, 186, x + 60, 226),
            _box(x, 230, 120, name, kind),
            _text(x + 60, 280, note, "quiet"),
        ]
    return _svg(
        620, 300, "One pass of the encoder gives the CLS vector, the mean vector and all token vectors", parts
    )


def _bi_encoder() -> str:
    chunks = ((90, 70), (140, 190), (230, 60), (300, 150), (345, 110), (420, 200), (470, 80), (255, 215))
    question, nearest = (320, 130), ((300, 150), (345, 110))
    parts = ['<rect class="box" x="20" y="20" width="520" height="220" rx="8"/>']
    for x, y in chunks:
        parts.append(f'<circle class="a" cx="{x}" cy="{y}" r="7"/>')
        if (x, y) in nearest:
            parts.append(f'<circle class="best" cx="{x}" cy="{y}" r="12"/>')
    x, y = question
    parts += [
        f'<circle class="b" cx="{x}" cy="{y}" r="7"/>',
        '<circle class="a" cx="568" cy="55" r="7"/>', _text(588, 60, "a chunk's vector", "", "start"),
        '<circle class="b" cx="568" cy="85" r="7"/>', _text(588, 90, "the question's vector", "", "start"),
        '<circle class="best" cx="568" cy="115" r="8"/>', _text(588, 120, "the nearest chunks", "", "start"),
        _text(560, 160, "one vector for a whole text:", "quiet", "start"),
        _text(560, 178, "words and meaning in one point", "quiet", "start"),
    ]  # fmt: skip
    return _svg(
        780, 260, "A bi-encoder: the chunks whose vectors are nearest to the question's vector", parts
    )


def _late_interaction() -> str:
    cell, left, top = 92, 130, 60
    parts = [_text(left + place * cell + cell / 2, 44, word, "bold") for place, word in enumerate(_PASSAGE)]
    parts.append(_text(left + len(_PASSAGE) * cell + 66, 44, "maximum", "quiet"))
    total = 0.0
    for row, (word, cosines) in enumerate(zip(_QUESTION, _COSINES, strict=True)):
        y = top + row * 44
        parts.append(_text(left - 14, y + 26, word, "bold", "end"))
        best = max(cosines)
        total += best
        for column, cosine in enumerate(cosines):
            x = left + column * cell
            place = f'x="{x}" y="{y}" width="{cell - 4}" height="40"'
            parts.append(f'<rect class="a" opacity="{0.75 * cosine:.2f}" {place}/>')
            parts.append(_text(x + cell / 2 - 2, y + 25, f"{cosine:.2f}"))
            if cosine == best:
                parts.append(f'<rect class="best" {place}/>')
        parts.append(_text(left + len(_PASSAGE) * cell + 66, y + 26, f"{best:.2f}", "bold"))
    y = top + len(_QUESTION) * 44 + 26
    parts.append(_text(left + len(_PASSAGE) * cell + 66, y, f"{total:.2f}", "bold"))
    parts.append(_text(left + len(_PASSAGE) * cell - 10, y, "MaxSim: the sum of the maxima", "quiet", "end"))
    label = f"MaxSim of a question and a passage: each word's best match, {total:.2f} in all"
    return _svg(640, 236, label, parts)


def _inverted_index() -> str:
    index = (("crack", "3"), ("turbin", "1  4  9"), ("blade", "1  3  7  8  9"), ("repair", "4"))
    parts = [
        _text(90, 30, "question", "quiet"), _text(330, 30, "stemmed word", "quiet"),
        _text(560, 30, "chunks that have it", "quiet"), _box(20, 90, 150, "repairing turbines"),
    ]  # fmt: skip
    for row, (word, chunks) in enumerate(index):
        y = 44 + row * 44
        parts += [
            _box(270, y, 120, word, "a" if word in {"turbin", "repair"} else "box"),
            _arrow(390, y + 16, 440, y + 16),
        ]
        parts.append(_box(446, y, 230, chunks))
        if word in {"turbin", "repair"}:
            parts.append(_arrow(170, 106, 266, y + 16))
    parts.append(
        _text(
            20, 240, "A rare word counts more than a frequent one; chunk 4 has both words.", "quiet", "start"
        )
    )
    return _svg(700, 256, "BM25: an inverted index from stemmed words to the chunks that have them", parts)


def _rank_fusion() -> str:
    mean, words = ("A", "B", "C", "D"), ("C", "A", "E", "F")
    scores = {
        chunk: sum(1 / (_RRF_K + ranks.index(chunk) + 1) for ranks in (mean, words) if chunk in ranks)
        for chunk in dict.fromkeys(mean + words)
    }
    order = sorted(scores, key=lambda chunk: -scores[chunk])
    parts = [_text(80, 28, "mean", "bold"), _text(240, 28, "bm25", "bold"), _text(500, 28, "hybrid", "bold")]
    for rank in range(4):
        y = 44 + rank * 42
        parts += [
            _box(30, y, 100, f"{rank + 1}.  {mean[rank]}"),
            _box(190, y, 100, f"{rank + 1}.  {words[rank]}"),
        ]
    for rank, chunk in enumerate(order[:4]):
        y = 44 + rank * 42
        terms = " + ".join(
            f"1/{_RRF_K + ranks.index(chunk) + 1}" for ranks in (mean, words) if chunk in ranks
        )
        parts.append(_box(380, y, 240, f"{rank + 1}.  {chunk}   {terms} = {scores[chunk]:.4f}", "a"))
    parts.append(_arrow(300, 122, 372, 122))
    return _svg(
        650, 224, "Reciprocal rank fusion: a chunk gets 1/(60 + rank) for each list that has it", parts
    )


def _cascade_and_fusion() -> str:
    parts = [
        _text(80, 26, "candidates", "quiet"), _box(20, 40, 120, "mean: 100"), _box(20, 110, 120, "bm25: 100"),
        _arrow(140, 56, 206, 84), _arrow(140, 126, 206, 98), _box(210, 75, 130, "up to 200 chunks"),
        _arrow(340, 85, 406, 56), _arrow(340, 97, 406, 126), _box(410, 40, 110, "cascade", "a"),
        _text(532, 61, "ordered by MaxSim alone", "quiet", "start"), _box(410, 110, 110, "fusion", "a"),
        _text(532, 124, "ordered by mean + bm25 + 2 MaxSim,", "quiet", "start"),
        _text(532, 140, "each standardised (z-scores)", "quiet", "start"),
    ]  # fmt: skip
    return _svg(800, 164, "cascade and fusion: candidates of mean and bm25, ordered with MaxSim", parts)


def _reranker() -> str:
    parts = [
        _box(20, 50, 120, "any strategy"), _arrow(140, 66, 186, 66), _box(190, 50, 150, "first 20 passages"),
        _arrow(340, 66, 386, 66), _box(390, 50, 220, "question and passage together", "a"),
        _arrow(610, 66, 646, 66), _box(650, 50, 100, "new order"),
        _text(265, 104, "the rest keeps its order", "quiet"),
    ]  # fmt: skip
    return _svg(760, 124, "A reranker reads the question together with each of the first passages", parts)
