"""OpenDocument files with XML of one's own in them."""

import zipfile
from pathlib import Path

_NAMES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("draw", "drawing"),
        ("style", "style"),
        ("presentation", "presentation"),
        ("svg", "svg-compatible"),
        ("fo", "xsl-fo-compatible"),
        ("meta", "meta"),
        ("manifest", "manifest"),
    )
)
NAMES = f'{_NAMES} xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"'
KINDS = {".odt": "text", ".ods": "spreadsheet", ".odp": "presentation"}


def write_odf(path: Path, body: str, *, styles: str = "", **parts: str) -> Path:
    """Write a file whose kind is that of its suffix.

    Args:
        path: The file.
        body: XML within `office:text`, `office:spreadsheet` or `office:presentation`.
        styles: XML within `office:automatic-styles`.
        parts: XML of other parts, by their names, in which "__" stands for "/" and "_" for ".".
    """
    kind = KINDS[path.suffix]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        archive.writestr(
            "content.xml",
            f"<office:document-content {NAMES}><office:automatic-styles>{styles}</office:automatic-styles>"
            f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>",
        )
        for name, xml in parts.items():
            archive.writestr(
                name.replace("__", "/").replace("_xml", ".xml"), f"<office:part {NAMES}>{xml}</office:part>"
            )
    return path
