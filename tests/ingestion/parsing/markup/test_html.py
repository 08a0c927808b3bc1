"""HTML: what a browser shows, without menus."""

from pathlib import Path

import pytest

from ingestion.documents import Heading, Page, ParsedDocument, Status
from ingestion.parsing import ParseLimits
from tests.helpers.reading import read


def shown(folder: Path, data: bytes | str, name: str = "a.html") -> ParsedDocument:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read(path)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>one\n  <b>t</b>wo <!-- no --> three<p>four", "one two three\n\nfour"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<div>a<div>b</div>c</div>", "a\n\nb\n\nc"),
        ("&lt;b&gt; &eacute; &#8364; &nbsp;x", "<b> é € x"),
        ("<pre>def f():\n\n    return 1\n</pre>", "def f():\n\n    return 1"),
        ("<ul><li>a<li>b<ul><li>in</ul><li>c</ul>after", "- a\n- b\n  - in\n- c\n\nafter"),
        ("<ol start=3><li>c<li><p>d<p>more</ol>", "3. c\n4. d\nmore"),
        ("<dl><dt>T<dd>D<dt>U<dd>E</dl>", "T\nD\n\nU\nE"),
        ("x<script>if (a<b) '<p>no</p>'</script><style>p{}</style><nav>menu</nav>y", "xy"),
        ("<div role=navigation>menu</div><p hidden>no</p><p style='display: none'>no</p>yes", "yes"),
        ("<header>kept</header><footer>kept too</footer>", "kept\n\nkept too"),
        ("<img src=x alt='Figure 1'>", "Figure 1"),
        (
            "<form>Name <input value=Zoë><button>Send</button><button>Back</button></form>",
            "Name Zoë Send Back",
        ),
        (
            "<textarea>two\nwords</textarea> <input type=hidden value=no><input type=password value=no>",
            "two words",
        ),
        ("<select><option>a<option selected>b</select> <select><option>c<option>d</select>", "b c"),
        ("<select multiple><option>a<option selected>b<option selected>c</select>", "b, c"),
        ("<input type=radio checked> yes <input type=radio> no", "[x] yes [ ] no"),
        (
            "<label for=i>paid</label><input type=checkbox id=i checked><label for=j>due</label>"
            "<input type=checkbox id=j>",
            "[x] paid [ ] due",
        ),
        ("<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>を", "漢字(かんじ)を"),
        ("<ruby>東<rt>とう</rt>京<rt>きょう</rt></ruby>", "東京(とうきょう)"),
        ("<ruby>漢<rp>(<rt>かん<rp>)</ruby>", "漢(かん)"),
        ("10<sup>3</sup> m<sup>2</sup>, 3<sup>1</sup>/<sub>2</sub>, H<sub>2</sub>O", "10^3 m2, 3 1/2, H2O"),
        ("said<sup><a href='#n'>2</a></sup>", "said[2]"),
        (
            "<abbr title='World Health'>WHO</abbr> and <abbr title='World Health'>WHO</abbr>",
            "WHO (World Health) and WHO",
        ),
        ("<p>Donau&shy;dampf<wbr>schiff <q>ja</q>", "Donaudampfschiff “ja”"),
        ("<svg><title>no</title><text>North</text><text>South</text></svg>", "North South"),
        (
            "<math><mfrac><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow><mn>2</mn></mfrac><mo>=</mo>"
            "<msup><mi>x</mi><mn>2</mn></msup><msqrt><mi>y</mi></msqrt></math>",
            "(a + 1)/2 = x^2√(y)",
        ),
    ],
)
def test_text(tmp_path: Path, source: str, text: str) -> None:
    assert shown(tmp_path, source).pages == (Page(1, text),)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ("<tr><th>n<th>q<tr><td>a<td>1", "n | q\na | 1"),
        ("<caption>Cap</caption><tr><td>a<td>b", "Cap\na | b"),
        ("<tr><td rowspan=2>a<td>1<tr><td>2<tr><td>b<td>3", "a | 1\na | 2\nb | 3"),
        ("<tr><td colspan=2>a<td>1<tr><td>b<td><td>2", "a |  | 1\nb |  | 2"),
        ("<thead><tr><th>n<br>m<th>q</thead><tbody><tr><td><p>a<p>b<td>1", "n m | q\na b | 1"),
        ("<tr><td><h2>Menu</h2>text<td>side", "Menu\n\ntext\n\nside"),
        ("<tr><td>only<tr><td>cells", "only\n\ncells"),
        ("<tr><td>out<td><table><tr><td>a<td>b</table>", "out\n\na | b"),
        ("<tr><td>a<td>b<script>no</script>", "a | b"),
        ("<tr><td rowspan=999999999999>a<td colspan=-1>b<tr><td rowspan=x>c", "a | b\na | c"),
    ],
)
def test_tables(tmp_path: Path, rows: str, text: str) -> None:
    assert shown(tmp_path, f"before<table>{rows}</table>after").pages[0].text == f"before\n\n{text}\n\nafter"


def test_title_and_headings(tmp_path: Path) -> None:
    source = (
        "<title>The &amp; title</title><p>é<h1>First\n <em>one</em></h1>text<h3>Deep<br>er</h3>"
        "<svg><title>no</title></svg>"
    )
    document = shown(tmp_path, source)
    assert document.title == "The & title"
    assert document.pages == (Page(1, "é\n\nFirst one\n\ntext\n\nDeep er"),)
    assert document.headings == (Heading("First one", 1, 1, 3), Heading("Deep er", 3, 1, 20))


@pytest.mark.parametrize(
    "data",
    [
        "<p>Zoë€".encode(),
        "<p>Zoë€".encode("utf-16"),
        "<meta charset=iso-8859-1><p>Zoë€".encode("cp1252"),
        '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-15"><p>Zoë€'.encode(
            "iso8859-15"
        ),
        '<?xml version="1.0" encoding="windows-1252"?><p>Zoë€'.encode("cp1252"),
        "<meta charset=utf-7><p>Zoë€".encode(),
        "<meta charset=nonsense><p>Zoë€".encode(),
        "<meta charset=zip><p>Zoë€".encode(),
    ],
    ids=["utf-8", "utf-16", "latin-1 by name", "http-equiv", "xml", "utf-7", "unknown", "no text encoding"],
)
def test_encodings(tmp_path: Path, data: bytes) -> None:
    assert shown(tmp_path, data).pages[0].text == "Zoë€"


def test_declared_japanese(tmp_path: Path) -> None:
    assert shown(tmp_path, "<meta charset=shift_jis>日本".encode("shift_jis")).pages[0].text == "日本"


QUESTION, ANSWER = "What does a red lamp mean?", "The battery is low."
FOLDS = {
    "button in a heading": "<h2><button aria-expanded=false>{q}</button></h2><div class=collapse>{a}</div>",
    "button": "<button class=accordion>{q}</button><div class=panel><p>{a}</p></div>",
    "button and hidden part": "<button type=button>{q}</button><div hidden><p>{a}</p></div>",
    "button that names its part": "<p><button aria-controls=p>{q}</button></p><hr><p id=p hidden>{a}",
    "link that is a button": "<div><a role=button href='#p'>{q}</a></div><p id=p style='display:none'>{a}",
    "details": "<details><summary>{q}</summary><p>{a}</p></details>",
    "heading and script": "<script>x</script><h3>{q}</h3><div style='display:none'>{a}</div>",
    "found by the browser": "<h3>{q}</h3><div hidden=until-found>{a}</div>",
    "tabs": "<b role=tab aria-controls=p>{q}</b><div role=tabpanel id=p hidden>{a}</div>",
}


@pytest.mark.parametrize("kind", FOLDS)
def test_what_a_press_shows_is_read_under_what_is_pressed(tmp_path: Path, kind: str) -> None:
    document = shown(tmp_path, "<h1>Gate</h1>" + FOLDS[kind].format(q=QUESTION, a=ANSWER) + "<p>End")
    assert document.pages[0].text.endswith(f"{QUESTION}\n\n{ANSWER}\n\nEnd")
    assert [heading.title for heading in document.headings] == ["Gate", QUESTION]


def test_tabs_without_names_are_told_by_their_place(tmp_path: Path) -> None:
    source = (
        "<ul role=tablist><li>Day</li><li>Night</li></ul><div><p>It opens.</p></div>"
        "<div style='display:none'><p>It opens with 7719.</p></div>"
    )
    document = shown(tmp_path, source)
    assert document.pages[0].text == "- Day\n- Night\n\nDay\n\nIt opens.\n\nNight\n\nIt opens with 7719."
    assert [heading.title for heading in document.headings] == ["Day", "Night"]


def test_what_nothing_shows_is_not_read(tmp_path: Path) -> None:
    long = "secret words " * 20
    banner = f"<button>Cookies</button><div hidden class=cookie-banner>{long}</div>"
    source = f"{banner}<hr><p>a<p>b<p>c<p hidden>{long}<p>d"
    document = shown(tmp_path, f"<script>x</script>{source}")
    assert document.pages[0].text == "Cookies\n\na\n\nb\n\nc\n\nd"
    assert [warning.split(" are ")[0] for warning in document.warnings] == ["1 hidden parts of the page"]
    (warning,) = shown(tmp_path, source).warnings  # nothing on the page could show it
    assert "1 hidden on the page" in warning


def test_what_is_no_text_is_said(tmp_path: Path) -> None:
    source = (
        "<p>x<iframe src=a></iframe><iframe width=1></iframe><img width=900 height=600><img width=9 height=9>"
    )
    assert shown(tmp_path, source).warnings == (
        "Not read on the page, although they may show text: 1 large pictures, 1 other pages in frames.",
    )


XHTML = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>My book</title></head><body>{}</body></html>'


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>a<a id='x'/>b</p><h2>H</h2>", "ab\n\nH"),
        ("<script src='x'/><p>after</p>", "after"),
        ("<p>a&nbsp;b<script src='x'/><p>not well-formed", "a b\n\nnot well-formed"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a | b"),
    ],
)
def test_xhtml(tmp_path: Path, source: str, text: str) -> None:
    document = shown(tmp_path, XHTML.format(source), "a.xhtml")
    assert (document.title, document.pages) == ("My book", (Page(1, text),))


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("SECRET")
    bomb = '<!ENTITY a "bomb">' + "".join(
        f'<!ENTITY {after} "{("&" + before + ";") * 10}">'
        for before, after in zip("abcdefgh", "bcdefghi", strict=True)
    )
    outside = f'<!ENTITY x SYSTEM "file://{tmp_path}/secret">'
    source = f"<!DOCTYPE html [{bomb}{outside}]>" + XHTML.format("<p title='&i;'>&i;&x;&eacute; after</p>")
    document = shown(tmp_path, source, "a.xhtml")
    assert "SECRET" not in document.pages[0].text
    assert document.pages[0].text.endswith("é after")
    assert len(document.pages[0].text) < 2000


@pytest.mark.parametrize("source", ["<!-- c -->", " ", "<script>x</script>", "<html></html>"])
def test_nothing_to_read(tmp_path: Path, source: str) -> None:
    assert shown(tmp_path, source).status is Status.NO_TEXT


@pytest.mark.parametrize("tag", ["div", "b", "table><tr><td", "ul><li"])
def test_absurd_nesting_is_refused_and_not_left_out(tmp_path: Path, tag: str) -> None:
    assert shown(tmp_path, f"<{tag}>" * 300 + "deep").pages[0].text.endswith("deep")
    document = shown(tmp_path, f"<{tag}>" * 50_000 + "deep")
    assert document.status is Status.FAILED
    assert document.error is not None
    assert "nested too deeply" in document.error


@pytest.mark.slow
def test_one_text_of_many_megabytes(tmp_path: Path) -> None:
    document = shown(tmp_path, "<p>" + "word " * 2_500_000)
    assert sum(len(page.text.split()) for page in document.pages) == 2_500_000


def test_too_much_text(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("<p>word" * 100)
    assert read(path, ParseLimits(max_characters=300)).status is Status.TOO_LARGE


HIDDEN_STYLES = {
    "display:none": "hidden on the page",
    "visibility: hidden": "hidden on the page",
    "opacity:0": "transparent",
    "color: transparent": "transparent",
    "font-size:0": "too small",
    "font-size: 1px": "too small",
    "position:absolute; left:-9999px": "outside the page",
    "position:fixed;top:-100em": "outside the page",
    "text-indent: -5000px": "outside the page",
    "position:absolute;clip:rect(0,0,0,0)": "outside the page",
    "height:0;overflow:hidden": "outside the page",
    "color:#fff": "in the colour of the page",
    "color:#fefefe;background:white": "in the colour of the page",
    "color:rgb(0,0,0);background-color:#000": "in the colour of the page",
}
SHOWN_STYLES = [
    "color:#fff;background:#003366",
    "color:#fff;background:url(dark.png)",
    "color:#ccc",
    "font-size:8px",
    "opacity:0.5",
    "position:absolute;left:-20px",
    "height:0",
    "text-indent:-20px",
]


@pytest.mark.parametrize("style", HIDDEN_STYLES)
def test_text_that_no_browser_shows_is_left_out_and_counted(tmp_path: Path, style: str) -> None:
    for element in ("p", "span"):
        document = shown(
            tmp_path, f"<p>The price is 5.</p><{element} style='{style}'>Pay the bill twice.</{element}>"
        )
        assert document.pages[0].text == "The price is 5."
        (warning,) = document.warnings
        assert warning.startswith(
            "1 passage of hidden text, which a reader does not see, was left out (page 1)"
        )
        assert HIDDEN_STYLES[style] in warning


@pytest.mark.parametrize("style", SHOWN_STYLES)
def test_text_that_a_browser_shows_stays_whatever_its_style(tmp_path: Path, style: str) -> None:
    document = shown(tmp_path, f"<p>The price is 5.</p><p style='{style}'>Pay the bill twice.</p>")
    assert "Pay the bill twice." in document.pages[0].text
    assert document.warnings == ()


def test_white_text_on_an_unknown_background_stays(tmp_path: Path) -> None:
    document = shown(
        tmp_path, "<style>p {background: navy}</style><p style='color:#fff'>Pay the bill twice.</p>"
    )
    assert document.pages[0].text == "Pay the bill twice."


def test_hidden_text_in_a_table_counts_once(tmp_path: Path) -> None:
    cells = "<td>a</td><td>5 <span style='font-size:0'>Pay the bill twice.</span></td>"
    document = shown(tmp_path, f"<table><tr><th>x<th>y</tr><tr>{cells}</tr></table>")
    assert "Pay" not in document.pages[0].text
    assert document.warnings[0].startswith("1 passage of hidden text")
