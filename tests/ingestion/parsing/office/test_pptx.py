"""What a person sees in a presentation beside the paragraphs of its slides."""

# ruff: noqa: E501 (XML in one piece; python-pptx has no way to these parts)
# The types of python-pptx are narrower than what it takes.
# mypy: disable-error-code="attr-defined, arg-type, union-attr"

import zipfile
from pathlib import Path

import pptx
from PIL import Image
from pptx.chart.data import CategoryChartData, XyChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.presentation import Presentation
from pptx.slide import Slide
from pptx.util import Cm

from ingestion.documents import ParsedDocument
from tests.helpers.reading import read, repack

PART = "ppt/slides/slide1.xml"
BOX = (Cm(1), Cm(1), Cm(12), Cm(9))


def blank() -> tuple[Presentation, Slide]:
    deck = pptx.Presentation()
    return deck, deck.slides.add_slide(deck.slide_layouts[6])


def saved(deck: Presentation, path: Path) -> ParsedDocument:
    deck.save(str(path))
    return read(path)


def test_charts(tmp_path: Path) -> None:
    deck, slide = blank()
    data = CategoryChartData(number_format="0.0%")
    data.categories = ["North", "South"]
    data.add_series("2023", (0.125, 0.5))
    data.add_series("2024", (None, 0.75))
    chart = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *BOX, data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Share of yield"
    points = XyChartData()
    points.add_series("Load").add_data_point(1.5, 20)
    slide.shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, *BOX, points)
    document = saved(deck, tmp_path / "a.pptx")
    assert document.pages[0].text == (
        "Chart: Share of yield\n | 2023 | 2024\nNorth | 12.5%\nSouth | 50.0% | 75.0%\n\nChart:\n | Load\n1.5 | 20"
    )
    assert document.warnings == ()


def test_nested_categories_and_days(tmp_path: Path) -> None:
    deck, slide = blank()
    data = CategoryChartData(number_format="#,##0")
    for region in ("East", "West"):
        group = data.add_category(region)
        for town in ("A", "B"):
            group.add_sub_category(f"{region} {town}")
    data.add_series("t", (1250, 2, 3, 4))
    slide.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, *BOX, data)
    text = saved(deck, tmp_path / "a.pptx").pages[0].text
    assert "East, East A | 1,250" in text
    assert "West, West B | 4" in text


DIAGRAM = (
    '<dgm:dataModel xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><dgm:ptLst><dgm:pt modelId="0" type="doc"/>{points}'
    '<dgm:pt modelId="9" type="pres"><dgm:t><a:p><a:r><a:t>no</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:ptLst>'
    "<dgm:cxnLst>{links}</dgm:cxnLst></dgm:dataModel>"
)


def test_diagrams(tmp_path: Path) -> None:
    point = '<dgm:pt modelId="{}"><dgm:t><a:p><a:r><a:t>{}</a:t></a:r></a:p></dgm:t></dgm:pt>'
    link = '<dgm:cxn srcId="{}" destId="{}" srcOrd="{}"/>'
    model = DIAGRAM.format(
        points="".join(
            point.format(n, t) for n, t in enumerate(("Second", "First", "Under first", "Loose"), 1)
        ),
        links="".join(link.format(*numbers) for numbers in ((0, 1, 1), (0, 2, 0), (2, 3, 0), (3, 2, 0))),
    )
    frame = (
        "<p:graphicFrame><a:graphic><a:graphicData><d:relIds "
        'xmlns:d="http://schemas.openxmlformats.org/drawingml/2006/diagram" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:dm="rIdD"/>'
        "</a:graphicData></a:graphic></p:graphicFrame></p:spTree>"
    )
    deck, _ = blank()
    deck.save(str(tmp_path / "made"))
    with zipfile.ZipFile(tmp_path / "made") as archive:
        xml = archive.read(PART).decode().replace("</p:spTree>", frame)
        relations = archive.read("ppt/slides/_rels/slide1.xml.rels").decode()
    relations = relations.replace(
        "</Relationships>",
        '<Relationship Id="rIdD" Type="x/diagramData" Target="../diagrams/data1.xml"/></Relationships>',
    )
    changed = {PART: xml.encode(), "ppt/slides/_rels/slide1.xml.rels": relations.encode()}
    path = repack(
        tmp_path / "made", tmp_path / "a.pptx", {**changed, "ppt/diagrams/data1.xml": model.encode()}
    )
    document = read(path)
    assert document.pages[0].text == "- First\n  - Under first\n- Second\n- Loose"
    empty = repack(tmp_path / "made", tmp_path / "b.pptx", changed)
    assert [warning.split(" on ")[0] for warning in read(empty).warnings] == [
        "Not read: 1 diagrams without texts"
    ]


def test_comments_of_both_forms(tmp_path: Path) -> None:
    deck, _ = blank()
    deck.save(str(tmp_path / "made"))
    with zipfile.ZipFile(tmp_path / "made") as archive:
        slide = archive.read("ppt/slides/_rels/slide1.xml.rels").decode()
        main = archive.read("ppt/_rels/presentation.xml.rels").decode()

    def with_relation(xml: str, *relations: tuple[str, str]) -> bytes:
        more = "".join(
            f'<Relationship Id="x{number}" Type="x/{kind}" Target="{target}"/>'
            for number, (kind, target) in enumerate(relations)
        )
        return xml.replace("</Relationships>", more + "</Relationships>").encode()

    new = (
        "<c:{0} xmlns:c='c' xmlns:a='a'{1}><c:txBody><a:p><a:r><a:t>{2}</a:t></a:r></a:p></c:txBody></c:{0}>"
    )
    changed = {
        "ppt/slides/_rels/slide1.xml.rels": with_relation(
            slide, ("comments", "../comments/old.xml"), ("comments", "../comments/new.xml")
        ),
        "ppt/_rels/presentation.xml.rels": with_relation(
            main, ("commentAuthors", "o.xml"), ("authors", "n.xml")
        ),
        "ppt/o.xml": b'<l><cmAuthor id="0" name="Ann Lee"/></l>',
        "ppt/n.xml": b'<l><author id="{G}" name="Bo"/></l>',
        "ppt/comments/old.xml": b'<l><cm authorId="0"><text>Too long.</text></cm></l>',
        "ppt/comments/new.xml": (
            "<l>"
            + new.format("cm", " authorId='{G}'", "Which year?").replace(
                "<c:txBody>", "<c:replyLst>" + new.format("reply", "", "2024.") + "</c:replyLst><c:txBody>", 1
            )
            + "</l>"
        ).encode(),
    }
    document = read(repack(tmp_path / "made", tmp_path / "a.pptx", changed))
    assert document.pages[0].text.split("\n\n") == [
        "Comment by Ann Lee: Too long.",
        "Comment by Bo: Which year?",
        "Reply: 2024.",
    ]


def test_hidden_slides_shapes_and_what_repeats(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    for number in range(2):
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        assert slide.shapes.title is not None
        slide.shapes.title.text = f"Slide {number}"
        box = slide.shapes.add_textbox(*BOX)
        box.text_frame.text = "unseen"
        box._element.nvSpPr.cNvPr.set("hidden", "1")
        layout_footer = next(
            shape for shape in slide.slide_layout.placeholders if shape.placeholder_format.type == 15
        )
        slide.shapes.clone_placeholder(layout_footer)
        footer = next(shape for shape in slide.placeholders if shape.placeholder_format.type == 15)
        footer.text_frame.text = "Gate works, internal"
    slide._element.set("show", "0")
    layout = deck.slide_layouts[5].shapes._spTree
    layout.append(deck.slides[0].shapes.add_textbox(*BOX)._element)
    layout[-1].txBody.p_lst[0].get_or_add_endParaRPr()
    run = layout[-1].txBody.p_lst[0].add_r()
    run.text = "CONFIDENTIAL"
    pages = [page.text for page in saved(deck, tmp_path / "a.pptx").pages]
    assert pages == [
        "Slide 0\n\nFooter: Gate works, internal\n\nOn every slide: CONFIDENTIAL",
        "Slide 1 (hidden slide)",
    ]


def test_text_of_shapes(tmp_path: Path) -> None:
    deck, slide = blank()
    frame = slide.shapes.add_textbox(*BOX).text_frame
    frame.text = "10"
    power = frame.paragraphs[0].add_run()
    power.text = "3"
    power.font._element.set("baseline", "30000")
    for text in ("Unlock", "Open"):
        paragraph = frame.add_paragraph()
        paragraph.text = text
        paragraph._p.get_or_add_pPr().append(
            paragraph._p.makeelement("{http://schemas.openxmlformats.org/drawingml/2006/main}buAutoNum", {})
        )
    deck.save(str(tmp_path / "made"))
    with zipfile.ZipFile(tmp_path / "made") as archive:
        xml = archive.read(PART).decode()
    formula = (
        '<a14:m xmlns:a14="a14" xmlns:m="m"><m:oMathPara><m:oMath><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den>'
        "<m:r><m:t>b</m:t></m:r></m:den></m:f></m:oMath></m:oMathPara></a14:m></a:p></p:txBody>"
    )
    changed = {PART: xml.replace("</a:p></p:txBody>", formula).encode()}
    text = read(repack(tmp_path / "made", tmp_path / "a.pptx", changed)).pages[0].text
    assert text == "10^3\n1. Unlock\n2. Open a/b"


def test_pictures_are_described_and_missed(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    deck, slide = blank()
    large = slide.shapes.add_picture(str(tmp_path / "a.png"), *BOX)
    large._element.nvPicPr.cNvPr.set("descr", "The north gate")
    slide.shapes.add_picture(str(tmp_path / "a.png"), 0, 0, Cm(1), Cm(1))
    document = saved(deck, tmp_path / "a.pptx")
    assert document.pages[0].text == "The north gate"
    assert document.warnings == ("Not read: 1 large pictures on page 1. Text in them cannot be found.",)


def test_what_lies_beside_the_slide_is_left_out_and_counted(tmp_path: Path) -> None:
    deck, slide = blank()
    for left, words in (
        (Cm(-30), "left of it"),
        (Cm(1), "on it"),
        (Cm(24), "over its side"),
        (Cm(60), "beyond it"),
    ):
        slide.shapes.add_textbox(left, Cm(1), Cm(12), Cm(9)).text_frame.text = words
    hidden = slide.shapes.add_textbox(*BOX)
    hidden.text_frame.text = "unseen"
    hidden._element.nvSpPr.cNvPr.set("hidden", "1")
    document = saved(deck, tmp_path / "a.pptx")
    assert document.pages[0].text == "on it\n\nover its side"
    assert document.warnings == (
        "3 passages of hidden text, which a reader does not see, were left out (page 1): 1 in a hidden shape, "
        "2 outside the slide.",
    )


def test_a_hidden_slide_stays_with_its_mark_and_a_warning(tmp_path: Path) -> None:
    deck, slide = blank()
    slide.shapes.add_textbox(*BOX).text_frame.text = "The price is 5."
    slide._element.set("show", "0")
    document = saved(deck, tmp_path / "a.pptx")
    assert document.pages[0].text == "(hidden slide)\n\nThe price is 5."
    assert [heading.title for heading in document.headings] == ["(hidden slide)"]
    assert document.warnings == ("Slide 1 is hidden in the presentation; its text is here.",)
