"""Style sheets and scripts of the pages, in files of their own."""

from importlib.resources import files


def read_static(name: str) -> str:
    """Return the text of one of these files."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def style_sheet() -> str:
    """Return the style sheets of this folder as one text, page.css first: the others use its colours."""
    names = sorted(file.name for file in files(__name__).iterdir() if file.name.endswith(".css"))
    return "\n".join(read_static(name) for name in sorted(names, key=lambda name: name != "page.css"))


def page_script() -> str:
    """Return the function that runs once the page is drawn."""
    names = (
        "connection.js", "reading_position.js", "page.js", "navigation.js", "drop.js", "alerts.js",
        "sources_sheet.js",
    )  # fmt: skip
    parts = (f"({read_static(name)})();" for name in names)
    return f"() => {{ {''.join(parts)} }}"


def early_script() -> str:
    """Return the script that runs before Gradio's."""
    return f"{{ {read_static('frames.js')} }}"
