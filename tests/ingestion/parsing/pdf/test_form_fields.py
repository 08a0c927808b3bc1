"""What stands on a PDF's page beside its content: fields, notes, layers that are off."""

from pathlib import Path

from ingestion.documents import ELSEWHERE, Page, Status
from ingestion.parsing import draw_page, parse
from tests.helpers.pdfs import build, pdf, show, stream

PRINTED = (
    b"BT /F1 12 Tf 72 720 Td (Policy number) Tj 0 -30 Td (Holder:) Tj 0 -30 Td (Country) Tj ET "
    b"BT /F1 12 Tf 100 630 Td (Wants a newsletter) Tj 0 -30 Td (Card) Tj 100 0 Td (Cheque) Tj ET"
)
WIDGET = b"<< /Type /Annot /Subtype /Widget "
NOTE = b"<< /Type /Annot "
FIRST = 6  # the number of the first annotation
APPEARANCE = b"/AP << /N << /%s 5 0 R /Off 5 0 R >> >>"


def with_annotations(folder: Path, annotations: list[bytes], *, parents: list[bytes] | None = None) -> Page:
    """The one page of a PDF with these annotations; `parents` are fields of which they are the buttons."""
    parents = parents or []
    shown = b" ".join(b"%d 0 R" % (FIRST + place) for place in range(len(annotations)))
    behind = FIRST + len(annotations)
    fields = b" ".join(b"%d 0 R" % (behind + place) for place in range(len(parents))) or shown
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [%s] /DA (/F1 10 Tf 0 g) >> >>" % fields,
        b"<< /Type /Pages /Kids [4 0 R] /Count 1 /MediaBox [0 0 612 792] "
        b"/Resources << /Font << /F1 3 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Annots [%s] >>" % shown,
        stream(PRINTED),
    ]
    path = folder / "form.pdf"
    path.write_bytes(build([*objects, *annotations, *parents]))
    document = parse(path)
    assert (document.status, document.warnings) == (Status.OK, ())
    return document.pages[0]


def added(page: Page) -> list[str]:
    """The lines below the printed text."""
    printed, _, lines = page.text.partition("\n\n")
    assert printed.startswith("Policy number\nHolder:")
    return lines.split("\n")


def test_filled_fields_come_with_what_is_printed_at_them(tmp_path: Path) -> None:
    page = with_annotations(
        tmp_path,
        [
            WIDGET + b"/FT /Tx /T (f1) /V (HX-88-417) /Rect [180 712 330 732] >>",
            WIDGET + b"/FT /Tx /T (h) /TU (Full name) /V <FEFF004F0072006C0061002000E7> "
            b"/Rect [180 682 330 702] >>",
            WIDGET + b"/FT /Ch /Ff 131072 /T (c) /Opt [[(pl) (Poland)] [(nl) (Netherlands)]] /V (nl) "
            b"/Rect [180 652 330 672] >>",
            WIDGET
            + b"/FT /Btn /T (news) /V /Yes /AS /Yes /Rect [80 628 94 642] "
            + APPEARANCE % b"Yes"
            + b" >>",
            WIDGET + b"/FT /Tx /T (empty) /Rect [80 500 94 520] >>",
            WIDGET + b"/FT /Tx /T (unseen) /F 2 /V (not shown) /Rect [80 400 94 420] >>",
            WIDGET + b"/FT /Tx /Ff 8192 /T (pass) /V (secret) /Rect [80 300 94 320] >>",
        ],
    )
    assert added(page) == [
        "Policy number: HX-88-417",
        "Holder (Full name): Orla ç",
        "Country: Netherlands",
        "Wants a newsletter: checked",
    ]


def test_of_radio_buttons_the_chosen_one_counts(tmp_path: Path) -> None:
    buttons = [
        WIDGET + b"/Parent 8 0 R /AS /Off /Rect [80 598 94 612] " + APPEARANCE % b"card" + b" >>",
        WIDGET + b"/Parent 8 0 R /AS /cheque /Rect [180 598 194 612] " + APPEARANCE % b"cheque" + b" >>",
    ]
    group = b"<< /FT /Btn /Ff 49152 /T (pay) /TU (How it is paid) /V /cheque /Kids [6 0 R 7 0 R] >>"
    assert added(with_annotations(tmp_path, buttons, parents=[group])) == ["How it is paid: Cheque"]


def test_notes_and_comments_are_labelled_text_of_their_page(tmp_path: Path) -> None:
    page = with_annotations(
        tmp_path,
        [
            NOTE + b"/Subtype /Text /Contents (Ask about the excess.) /T (Lena) /Rect [400 700 420 720] >>",
            NOTE + b"/Subtype /Popup /Contents (Ask about the excess.) /Rect [420 700 500 720] >>",
            NOTE + b"/Subtype /Highlight /Contents (Wrong one) /T (Jo) /Rect [72 716 160 732] "
            b"/QuadPoints [72 732 150 732 72 716 150 716] >>",
            NOTE + b"/Subtype /FreeText /Contents (Paid twice) /DA (/F1 9 Tf) /Rect [300 500 420 520] >>",
            NOTE + b"/Subtype /Link /Contents (elsewhere) /Rect [72 716 160 732] >>",
            NOTE + b"/Subtype /Text /F 2 /Contents (hidden) /Rect [400 700 420 720] >>",
        ],
    )
    assert added(page) == [
        "Note (Lena): Ask about the excess.",
        'Comment on "Policy number" (Jo): Wrong one',
        "Text box: Paid twice",
    ]


def test_printed_and_filled_text_can_both_be_shown_on_the_page(tmp_path: Path) -> None:
    page = with_annotations(tmp_path, [WIDGET + b"/FT /Tx /T (f1) /V (HX-88-417) /Rect [180 712 330 732] >>"])
    assert page.layout is not None
    filled = page.text.index("Policy number: HX")
    assert page.layout.runs[-1][1] == ELSEWHERE
    spans = [(0, 13), (filled, len(page.text))]
    picture = draw_page(tmp_path / "form.pdf", 1, page.layout, spans=spans, pixels=300)
    (printed,), (value,) = picture.boxes
    assert 71 < printed.left < 73
    assert 60 < printed.top < 72
    assert (value.left, value.top, value.right, value.bottom) == (180.0, 60.0, 330.0, 80.0)


def layered(folder: Path, content: bytes, properties: bytes, configuration: bytes) -> list[str]:
    """The lines of a page with layers 4 (named /A) and 5 (named /B); 6 is a form on layer 4."""
    form = b"/Subtype /Form /BBox [0 0 612 792] /OC 4 0 R /Resources << /Font << /F1 3 0 R >> >>"
    data = pdf(
        [stream(show("The fee is 70 euros.") + content)],
        catalog=b"/OCProperties << /OCGs [4 0 R 5 0 R] /D << %s >> >>" % configuration,
        resources=b"/XObject << /X 6 0 R >> /Properties << %s >>" % properties,
        extra=[
            b"<< /Type /OCG /Name (Draft) >>",
            b"<< /Type /OCG /Name (Draft) >>",
            stream(b"BT /F1 12 Tf 72 600 Td (form) Tj ET", form),
        ],
    )
    path = folder / "layers.pdf"
    path.write_bytes(data)
    document = parse(path)
    assert (document.status, document.warnings) == (Status.OK, ())
    page = document.pages[0]
    assert page.layout is not None
    picture = draw_page(path, 1, page.layout, spans=[(0, len(page.text))], pixels=300)
    assert len(picture.boxes[0]) == len(page.text.split("\n"))  # each line is found on the page
    return page.text.split("\n")


ON_A = b" /OC /A BDC BT /F1 12 Tf 72 700 Td (alpha) Tj ET EMC"
ON_B = b" /OC /B BDC BT /F1 12 Tf 72 680 Td (beta) Tj ET EMC"
PLAIN = b" BT /F1 12 Tf 72 660 Td (last) Tj ET"
NAMED = b"/A 4 0 R /B 5 0 R"
FEE = "The fee is 70 euros."


def test_text_of_a_layer_that_is_off_is_left_out(tmp_path: Path) -> None:
    content = ON_A + ON_B + b" /X Do" + PLAIN
    assert layered(tmp_path, content, NAMED, b"/OFF [4 0 R]") == [FEE, "beta", "last"]
    assert layered(tmp_path, content, NAMED, b"/OFF [5 0 R]") == [FEE, "alpha", "form", "last"]
    assert layered(tmp_path, content, NAMED, b"/BaseState /OFF /ON [5 0 R]") == [FEE, "beta", "last"]


def test_a_condition_on_layers_hides_what_stands_under_it(tmp_path: Path) -> None:
    content = ON_A + ON_B + PLAIN
    either = b"/A << /Type /OCMD /OCGs [4 0 R 5 0 R] >> /B 5 0 R"
    both = b"/A << /Type /OCMD /OCGs [4 0 R 5 0 R] /P /AllOn >> /B 5 0 R"
    unless = b"/A << /Type /OCMD /VE [/Not 4 0 R] >> /B 5 0 R"
    assert layered(tmp_path, content, either, b"/OFF [4 0 R]") == [FEE, "alpha", "beta", "last"]
    assert layered(tmp_path, content, both, b"/OFF [4 0 R]") == [FEE, "beta", "last"]
    assert layered(tmp_path, content, unless, b"/OFF [5 0 R]") == [FEE, "last"]
