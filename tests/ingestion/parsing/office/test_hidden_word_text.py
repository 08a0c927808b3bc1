"""Word text that nobody sees is left out and counted; white letters on something dark stay."""

from pathlib import Path

import pytest

from ingestion.parsing import parse
from tests.helpers.office import W, word

SEEN = "<w:p><w:r><w:t>The price is 5.</w:t></w:r></w:p>"
WHITE = "<w:color w:val='FFFFFF'/>"
STYLES = (
    f"<w:styles {W}><w:docDefaults><w:rPrDefault><w:rPr><w:sz w:val='22'/></w:rPr></w:rPrDefault>"
    "</w:docDefaults>"
    "<w:style w:type='paragraph' w:default='1' w:styleId='Normal'><w:rPr>{normal}</w:rPr></w:style>"
    f"<w:style w:type='character' w:styleId='Pale'><w:rPr>{WHITE}</w:rPr></w:style>"
    "<w:style w:type='paragraph' w:styleId='Tiny'><w:rPr><w:sz w:val='2'/></w:rPr></w:style>"
    "<w:style w:type='paragraph' w:styleId='Dark'><w:pPr><w:shd w:val='clear' w:fill='102030'/></w:pPr>"
    "</w:style>"
    "</w:styles>"
)


def p(settings: str = "", paragraph: str = "", text: str = "Pay twice.") -> str:
    return f"<w:p><w:pPr>{paragraph}</w:pPr><w:r><w:rPr>{settings}</w:rPr><w:t>{text}</w:t></w:r></w:p>"


def table(cell: str, content: str, properties: str = "") -> str:
    row = f"<w:tr><w:tc><w:tcPr>{cell}</w:tcPr>{content}</w:tc></w:tr>"
    return f"<w:tbl><w:tblPr>{properties}</w:tblPr>{row}</w:tbl>"


def shade(fill: str) -> str:
    return f"<w:shd w:val='clear' w:color='auto' w:fill='{fill}'/>"


HIDDEN = {
    "vanish": (p("<w:vanish/>"), "marked as hidden"),
    "white": (p(WHITE), "in the colour of the page"),
    "nearly white": (p("<w:color w:val='FAFAFA'/>"), "in the colour of the page"),
    "white by a style": (p("<w:rStyle w:val='Pale'/>"), "in the colour of the page"),
    "white in a plain cell": (table("", p(WHITE)), "in the colour of the page"),
    "blue in a blue cell": (
        table(shade("003366"), p("<w:color w:val='003366'/>")),
        "in the colour of the page",
    ),
    "black on a black paragraph": (
        p("<w:color w:val='000000'/>", shade("000000")),
        "in the colour of the page",
    ),
    "size 1": (p("<w:sz w:val='2'/>"), "too small"),
    "size 1 by a style": (p("", "<w:pStyle w:val='Tiny'/>"), "too small"),
    "one percent wide": (p("<w:w w:val='1'/>"), "too small"),
    "deleted": (
        "<w:p><w:del w:id='1'><w:r><w:delText>Pay twice.</w:delText></w:r></w:del></w:p>",
        "deleted in",
    ),
    "hidden row": (
        f"<w:tbl><w:tr><w:trPr><w:hidden/></w:trPr><w:tc>{p()}</w:tc></w:tr></w:tbl>",
        "in a hidden row",
    ),
}
VISIBLE = {
    "white in a dark cell": table(shade("1F4E79"), p(WHITE)),
    "white in a table with a style": table("", p(WHITE), "<w:tblStyle w:val='Grid'/>"),
    "white on a shaded run": p(WHITE + shade("1F4E79")),
    "white on a shaded paragraph": p(WHITE, shade("1F4E79")),
    "white on a paragraph shaded by its style": p(WHITE, "<w:pStyle w:val='Dark'/>"),
    "white on a marker": p(WHITE + "<w:highlight w:val='darkBlue'/>"),
    "automatic": p("<w:color w:val='auto'/>"),
    "grey": p("<w:color w:val='BFBFBF'/>"),
    "size 5": p("<w:sz w:val='10'/>"),
    "shown again": p("<w:vanish w:val='0'/>"),
    "dark again": p("<w:rStyle w:val='Pale'/><w:color w:val='000000'/>"),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_text_that_nobody_sees_is_left_out_and_counted(tmp_path: Path, name: str) -> None:
    body, kind = HIDDEN[name]
    document = parse(word(tmp_path / "a.docx", SEEN + body, styles=STYLES.format(normal="")))
    assert "".join(page.text for page in document.pages).strip() == "The price is 5."
    (warning,) = document.warnings
    assert warning.startswith("1 passage of hidden text, which a reader does not see, was left out (page 1)")
    assert kind in warning


@pytest.mark.parametrize("name", VISIBLE)
def test_text_that_is_seen_stays_whatever_its_colour(tmp_path: Path, name: str) -> None:
    document = parse(word(tmp_path / "a.docx", SEEN + VISIBLE[name], styles=STYLES.format(normal="")))
    assert "Pay twice." in document.pages[0].text
    assert document.warnings == ()


def test_the_default_style_hides_and_a_passage_of_many_runs_counts_once(tmp_path: Path) -> None:
    runs = "<w:r><w:t>Pay </w:t></w:r><w:r><w:t>twice</w:t></w:r><w:r><w:t>.</w:t></w:r>"
    seen = p("<w:vanish w:val='0'/>", text="The price is 5.")
    path = word(tmp_path / "a.docx", f"{seen}<w:p>{runs}</w:p>", styles=STYLES.format(normal="<w:vanish/>"))
    document = parse(path)
    assert document.pages[0].text == "The price is 5."
    assert document.warnings[0].startswith("1 passage of hidden text")


def test_white_text_over_a_large_shape_stays_and_is_doubted(tmp_path: Path) -> None:
    anchor = (
        "<w:p><w:r><w:drawing><wp:anchor xmlns:wp='x' behindDoc='1'><wp:extent cx='7000000' cy='9000000'/>"
        "</wp:anchor></w:drawing></w:r></w:p>"
    )
    document = parse(word(tmp_path / "a.docx", SEEN + anchor + p(WHITE), styles=STYLES.format(normal="")))
    assert "Pay twice." in document.pages[0].text
    assert any("have the colour of the page" in warning for warning in document.warnings)
