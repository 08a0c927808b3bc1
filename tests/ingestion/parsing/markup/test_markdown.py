"""Markdown: what a person reads, and where the headings are."""

# ruff: noqa: E501 (sources and texts side by side)

from pathlib import Path

import pytest

from ingestion.documents import Heading, Page, ParsedDocument, Status
from tests.helpers.reading import read


def shown(folder: Path, source: str, name: str = "a.md") -> ParsedDocument:
    path = folder / name
    path.write_bytes(source.encode())
    return read(path)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("A *b* **c** `d` ~~e~~ \\* &amp;", "A b c d e * &"),
        ("[words](http://a.org/x 'title') <http://a.org>", "words (http://a.org/x) http://a.org"),
        ("[words][1]\n\n[1]: http://example.org", "words (http://example.org)"),
        (
            "[words](other.md#part), [here](#part), [js](javascript:x)",
            "words (other.md#part), here, [js](javascript:x)",
        ),
        ("[me@a.org](mailto:me@a.org) [a%20b](c%20d.md)", "me@a.org a%20b (c d.md)"),
        (
            "words\n\n[unused]: http://example.org 'Its title'",
            "words\n\n[unused]: http://example.org Its title",
        ),
        ("|A|\n|-|\n|[x](http://a.org)|", "A\nx (http://a.org)"),
        ("# The [guide](http://a.org)\n\ntext", "The guide\nhttp://a.org\n\ntext"),
        (
            "said[^1] and[^b]\n\nnext\n\n[^1]: One.\n[^b]: *Two*\n\n    more",
            "said[1] and[b]\n\n[1] One.\n\n[b] Two\nmore\n\nnext",
        ),
        (
            "said[^1]\n\n[^1]: word\n\n[^2]: nobody refers to it",
            "said[1]\n\n[1] word\n\n[2] nobody refers to it",
        ),
        ("said^[in the line] on", "said [in the line] on"),
        ("|A|\n|-|\n|x[^1]|\n|y|\n\n[^1]: Note.", "A\nx[1]\ny\n\n[1] Note."),
        ("an <img src=x alt='icon'> and <a href='http://a.org'>link</a>", "an icon and link (http://a.org)"),
        ("10<sup>3</sup> and H<sub>2</sub>O", "10^3 and H2O"),
        ("<p><a href='http://a.org'>link</a></p>", "link (http://a.org)"),
        ("- [x] done", "- [x] done"),
        ("![a *picture*](x.png)", "a picture"),
        ("one\ntwo  \nthree<br>four <span>five</span>", "one\ntwo\nthree\nfour five"),
        ("* a\n* b\n\n\n  more\n    1. in\n* c", "- a\n- b\nmore\n  1. in\n- c"),
        ("7. x\n8. y", "7. x\n8. y"),
        ("- [ ] task", "- [ ] task"),
        ("> said\n> on\n\nafter", "said\non\n\nafter"),
        ("|A|B|\n|-|-|\n|1|**2**|\n||3|\n\nafter", "A | B\n1 | 2\n | 3\n\nafter"),
        ("```py\n# code\n  x = 1\n```\n\n    in = 2", "# code\n  x = 1\n\nin = 2"),
        ("<div>\n<b>in</b> HTML\n</div>\n\n<!-- not -->\n\nafter", "in HTML\n\nafter"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a | b"),
        ("one\n\n---\n\ntwo", "one\n\ntwo"),
        ("one\r\n\r\ntwo\rthree", "one\n\ntwo\nthree"),
    ],
)
def test_text_without_marks(tmp_path: Path, source: str, text: str) -> None:
    assert shown(tmp_path, source).pages == (Page(1, text),)


HEADINGS = """\
Before

# The *whole* `story`

Setext
======

```
# no heading
```

### Deep ###
- # in a list

Under
-----
"""


@pytest.mark.parametrize("name", ["a.md", "a.MARKDOWN"])
def test_headings(tmp_path: Path, name: str) -> None:
    document = shown(tmp_path, HEADINGS, name)
    text = "Before\n\nThe whole story\n\nSetext\n\n# no heading\n\nDeep\n\n- in a list\n\nUnder"
    assert document.title == "The whole story"
    assert document.pages == (Page(1, text),)
    assert document.headings == (
        Heading("The whole story", 1, 1, 8),
        Heading("Setext", 1, 1, 25),
        Heading("Deep", 3, 1, 47),
        Heading("Under", 2, 1, 66),
    )


def test_headings_count_from_their_page(tmp_path: Path) -> None:
    document = shown(tmp_path, "# One\r\n\fé\r\n## Two")
    assert document.pages == (Page(1, "One"), Page(2, "é\n\nTwo"))
    assert document.headings == (Heading("One", 1, 1, 0), Heading("Two", 2, 2, 3))


def test_headings_of_a_long_text_stand_on_its_parts(tmp_path: Path) -> None:
    source = "".join(f"# Part {n}\n\n{'word ' * 2000}\n\n" for n in range(12))
    document = shown(tmp_path, source)
    assert document.page_count > 2
    assert [heading.title for heading in document.headings] == [f"Part {n}" for n in range(12)]
    assert max(len(page.text) for page in document.pages) <= 50_000


@pytest.mark.parametrize(
    ("front", "text", "title"),
    [
        ("---\ntags: [a, b]\nowner:\n  - Ann\n---\n", "tags: [a, b]\nowner:\n  - Ann", "Real"),
        ('---\ntitle: "Front"\n---\n', 'title: "Front"', "Front"),
        ("+++\ntitle = 'Front'\nserial = 'GT-90211'\n+++\n", "title = 'Front'\nserial = 'GT-90211'", "Front"),
        ("---\nA paragraph between two rules\n---\n", "A paragraph between two rules", "Real"),
    ],
)
def test_front_matter_is_found(tmp_path: Path, front: str, text: str, title: str) -> None:
    document = shown(tmp_path, front + "\n# Real\n")
    assert document.pages == (Page(1, f"{text}\n\nReal"),)
    assert document.headings == (Heading("Real", 1, 1, len(text) + 2),)
    assert document.title == title


def test_pictures_without_words_are_said(tmp_path: Path) -> None:
    assert shown(tmp_path, "x ![](scans/page%201.png) ![a gate](b.png)").warnings == (
        "1 pictures without a description are not read (scans/page 1.png); text that they show cannot be found.",
    )


@pytest.mark.parametrize("source", ["", "\n \n", "<!-- nothing -->", "---\n\n---\n", "\f\f"])
def test_nothing_to_read(tmp_path: Path, source: str) -> None:
    assert shown(tmp_path, source + "\n").status is Status.NO_TEXT


@pytest.mark.parametrize("marks", [">", "- ", "1. ", "> - "])
def test_absurd_nesting_is_refused_and_not_left_out(tmp_path: Path, marks: str) -> None:
    assert shown(tmp_path, marks * 20 + "deep\n").pages[0].text.endswith("deep")
    document = shown(tmp_path, marks * 5000 + "deep\n\nafter")
    assert document.status is Status.FAILED
    assert document.error is not None
    assert "nested too deeply" in document.error


def test_brackets_without_end_are_text(tmp_path: Path) -> None:
    assert shown(tmp_path, "[" * 5000 + "*" * 5000 + "_x" * 5000).status is Status.OK
