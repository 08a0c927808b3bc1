"""Formulas of Office files (OMML) as one line of text."""

from lxml import etree

from ingestion.parsing.shared.formulas import MAX_DEPTH, fraction, plain, root, scripts
from ingestion.parsing.shared.xml import child, inner_text, local_attribute, local_name

_UNREAD = ("del", "movefrom", "ctrlpr", "rpr")
_COMBINING = "\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u030c\u20d7"


def omml_text(element: etree._Element | None, depth: int = 0) -> str:
    """The formula as it would be typed; "" without one."""
    if element is None:
        return ""
    if depth > MAX_DEPTH:
        return plain(inner_text(element))
    name = local_name(element)
    if name == "t":
        return plain(element.text or "")
    if name in _UNREAD or name.endswith("pr") or not name:
        return ""
    if name == "phant" and _setting(element, "phantpr", "show") in ("0", "off", "false"):
        return ""
    return _built(element, name, depth + 1)


def _built(element: etree._Element, name: str, depth: int) -> str:
    def part(*path: str) -> str:
        return omml_text(child(element, *path), depth)

    def sign(usual: str) -> str:
        return _setting(element, f"{name}pr", "chr") or usual

    if name == "f":
        text = _fraction(element, part("num"), part("den"))
    elif name in ("ssup", "ssub", "ssubsup"):
        text = scripts(part("e"), part("sub"), part("sup"))
    elif name == "spre":
        text = scripts("", part("sub"), part("sup")) + part("e")
    elif name == "limlow":
        text = scripts(part("e"), part("lim"), "")
    elif name == "limupp":
        text = scripts(part("e"), "", part("lim"))
    elif name == "rad":
        text = root(part("e"), part("deg"))
    elif name == "nary":
        text = f"{scripts(sign('∫'), part('sub'), part('sup'))} {part('e')}"
    elif name == "func":
        inner = part("e")
        text = f"{part('fname')}{'' if inner.startswith('(') else ' '}{inner}"
    elif name == "acc":
        accent = sign("\u0302")
        text = part("e") + (accent if accent in _COMBINING else "")
    else:
        text = _listed(element, name, depth)
    return text


def _listed(element: etree._Element, name: str, depth: int) -> str:
    """Elements with any number of parts: brackets, matrices, stacked equations."""
    parts = [omml_text(inner, depth) for inner in element]
    if name == "d":
        begin, end, between = (_setting(element, "dpr", key) for key in ("begchr", "endchr", "sepchr"))
        joined = ("|" if between is None else between).join(part for part in parts if part)
        return f"{'(' if begin is None else begin}{joined}{')' if end is None else end}"
    if name == "m":
        return f"[{'; '.join(part for part in parts if part)}]"
    if name == "mr":
        return ", ".join(parts)
    return ("; " if name == "eqarr" else "").join(part for part in parts if part)


def _fraction(element: etree._Element, above: str, below: str) -> str:
    if _setting(element, "fpr", "type") == "nobar":
        return f"{above} choose {below}"
    return fraction(above, below)


def _setting(element: etree._Element, properties: str, name: str) -> str | None:
    setting = child(element, properties, name)
    value = None if setting is None else local_attribute(setting, "val")
    return value.lower() if value is not None else ("" if setting is not None else None)
