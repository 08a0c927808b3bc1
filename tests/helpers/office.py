"""Office files with XML of one's own in them."""

import zipfile
from pathlib import Path

import docx

from tests.helpers.reading import repack

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def word(path: Path, body: str, **parts: str) -> Path:
    """A Word document with this XML in its body; other parts by name ("footnotes")."""
    made = path.with_name("made.docx")
    document = docx.Document()
    document.save(str(made))
    with zipfile.ZipFile(made) as archive:
        relations = archive.read("word/_rels/document.xml.rels").decode()
    for name in parts:
        relations = relations.replace(
            "</Relationships>",
            f'<Relationship Id="x{name}" Type="x/{name}" Target="/word/{name}.xml"/></Relationships>',
        )
    changed = {f"word/{name}.xml": xml.encode() for name, xml in parts.items()}
    changed["word/_rels/document.xml.rels"] = relations.encode()
    changed["word/document.xml"] = f"<w:document {W}><w:body>{body}</w:body></w:document>".encode()
    return repack(made, path, changed)
