"""Books: chapters in reading order, titles from the table of contents."""

import zipfile
from pathlib import Path

from ingestion.documents import Heading, Page, Status
from ingestion.parsing import ParseLimits
from tests.helpers.reading import CONTAINER, make_epub, read, repack


def test_book(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    make_epub(path, {"two.xhtml": "<h1>Second</h1><p>é first</p>", "one.xhtml": "<h2>First</h2><p>then</p>"})
    document = read(path)
    assert document.title == "The long walk"
    assert document.pages == (Page(1, "Second\n\né first"), Page(2, "First\n\nthen"))
    assert document.headings == (Heading("Second", 1, 1, 0), Heading("First", 2, 2, 0))


def test_titles_of_the_contents_become_headings(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    chapters = {
        "a.xhtml": "<p>I</p><p class='title'>The road</p><p>long</p>",
        "b.xhtml": "<p>no title here</p>",
        "c.xhtml": "<h1>Own</h1><p>Other</p>",
    }
    toc = (
        "<ol><li><a href='a.xhtml'>The <i>road</i></a></li><li><a href='a.xhtml#x'>later</a></li>"
        "<li><a href='b.xhtml'>Interlude</a></li><li><a href='c.xhtml'>Other</a></li></ol>"
    )
    make_epub(path, chapters, toc=toc)
    document = read(path)
    assert document.pages == (
        Page(1, "I\n\nThe road\n\nlong"),
        Page(2, "Interlude\n\nno title here"),
        Page(3, "Own\n\nOther"),
    )
    assert document.headings == (
        Heading("The road", 1, 1, 3),
        Heading("Interlude", 1, 2, 0),
        Heading("Own", 1, 3, 0),
    )


def test_contents_of_epub_2(tmp_path: Path) -> None:
    make_epub(
        tmp_path / "made",
        {"a.xhtml": "<p>The road</p><p>long</p>"},
        more='<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>',
    )
    ncx = (
        '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel><text>The road</text>'
        '</navLabel><content src="a.xhtml"/></navPoint></navMap></ncx>'
    )
    document = read(repack(tmp_path / "made", tmp_path / "a.epub", {"OEBPS/toc.ncx": ncx.encode()}))
    assert document.headings == (Heading("The road", 1, 1, 0),)


def test_a_chapter_named_many_times_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "made"
    make_epub(path)
    with zipfile.ZipFile(path) as archive:
        book = archive.read("OEBPS/book.opf").decode()
    book = book.replace("</spine>", '<itemref idref="one.xhtml"/>' * 1000 + "</spine>")
    document = read(repack(path, tmp_path / "a.epub", {"OEBPS/book.opf": book.encode()}))
    assert document.pages == (Page(1, "words"),)


def encrypted(folder: Path, algorithm: str) -> Path:
    make_epub(folder / "made")
    xml = (
        f'<encryption><EncryptedData><EncryptionMethod Algorithm="{algorithm}"/></EncryptedData></encryption>'
    )
    return repack(folder / "made", folder / "a.epub", {"META-INF/encryption.xml": xml.encode()})


def test_protected_books(tmp_path: Path) -> None:
    document = read(encrypted(tmp_path, "http://www.w3.org/2001/04/xmlenc#aes128-cbc"))
    assert document.status is Status.UNSUPPORTED
    assert document.error is not None
    assert "protected against copying" in document.error
    assert read(encrypted(tmp_path, "http://www.idpf.org/2008/embedding")).status is Status.OK


def test_damaged_books(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    make_epub(tmp_path / "made")
    for changed in (
        {"META-INF/container.xml": b"<container/>"},
        {"META-INF/container.xml": CONTAINER.replace("book.opf", "gone.opf").encode()},
        {"META-INF/container.xml": CONTAINER.replace("OEBPS/", "../../../etc/passwd").encode()},
        {"OEBPS/book.opf": b"<package>"},
    ):
        assert read(repack(tmp_path / "made", path, changed)).status is Status.CORRUPT
    assert read(repack(tmp_path / "made", path, {"OEBPS/one.xhtml": b""})).status is Status.NO_TEXT
    broken = repack(tmp_path / "made", path, {"OEBPS/one.xhtml": b"<p>not <b>well-formed"})
    assert read(broken).pages == (Page(1, "not well-formed"),)


def test_too_many_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    make_epub(path, {f"{n}.xhtml": "<p>" + " " * 1_000_000 + "</p>" for n in range(8)})
    assert path.stat().st_size < 50_000
    assert read(path, ParseLimits(max_bytes=9_000_000)).status is Status.NO_TEXT
    assert read(path, ParseLimits(max_bytes=7_000_000)).status is Status.TOO_LARGE


def test_notes_ruby_and_pictures(tmp_path: Path) -> None:
    body = (
        "<p>said<a xmlns:epub='http://www.idpf.org/2007/ops' epub:type='noteref' href='#n1'>1</a> in "
        "<ruby>東京<rt>とうきょう</rt></ruby></p><aside id='n1' hidden='hidden'><p>The note.</p></aside>"
        "<nav hidden='hidden'><ol><li>Landmarks</li></ol></nav>"
    )
    picture = '<item id="p" href="p.png" media-type="image/png"/>'
    make_epub(tmp_path / "made", {"a.xhtml": body}, more=picture)
    document = read(repack(tmp_path / "made", tmp_path / "a.epub", {"OEBPS/p.png": bytes(90_000)}))
    assert document.pages == (Page(1, "said[1] in 東京(とうきょう)\n\nThe note."),)
    assert document.warnings == ("Not read: 1 large pictures of the book. Text in them cannot be found.",)
