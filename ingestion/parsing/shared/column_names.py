"""Tells whether the first row of a table names its columns or holds data."""

import re
from collections.abc import Sequence

Row = Sequence[str]

_YEAR = re.compile(r"(?:19|20)\d\d$")
_LONG = 25  # characters of a text; names are shorter

# Words that name columns in many files.
_USUAL = frozenset(
    re.findall(
        r"\S+",
        """name names id no nr number date time city town country address street email e-mail mail phone tel
        price amount total quantity qty item product part place note notes comment comments type status
        category title description code key value word question answer colour color unit size weight state
        department author year month day website url
        vorname nachname datum ort stadt land adresse straße telefon preis menge artikel bemerkung betrag
        nummer
        nom prénom ville pays adresse prix quantité article numéro
        nombre apellido fecha ciudad país dirección precio cantidad teléfono
        nome cognome data città indirizzo prezzo cidade preço endereço
        imię nazwisko miasto adres cena ilość naam stad prijs namn stad pris navn by
        имя фамилия дата город адрес цена количество телефон название
        姓名 名称 名字 日期 城市 地址 电话 价格 数量 编号 备注 名稱 電話 價格 數量 編號 備註
        氏名 名前 日付 住所 価格 番号 備考 品名 이름 날짜 도시 주소 전화 가격 수량 번호 비고""",
    )
)


def are_names(first: Row, below: Sequence[Row]) -> bool:
    """Whether the first row names the columns; without evidence it is data.

    It names them if a column of numbers begins with a word, if one of its words is a usual column name, or if
    a column's other cells look alike and different. It does not if a column repeats its word.
    """
    columns = [(name.strip(), _cells(below, place)) for place, name in enumerate(first) if name.strip()]
    if not any(cells for _, cells in columns):
        return True
    if any(name in cells for name, cells in columns):
        return False
    return any(name.casefold() in _USUAL or _stands_out(name, cells) for name, cells in columns)


def _cells(rows: Sequence[Row], place: int) -> list[str]:
    return [row[place].strip() for row in rows if place < len(row) and row[place].strip()]


def _stands_out(name: str, cells: Sequence[str]) -> bool:
    if not cells:
        return False
    if not _has_digits(name) and all(map(_has_digits, cells)):
        return True
    if len(name) <= _LONG < min(map(len, cells)):
        return True
    looks = set(map(_look, cells))
    return len(looks) == 1 and _look(name) not in looks and not _has_digits(name)


def _has_digits(text: str) -> bool:
    return any(map(str.isdigit, text)) and not _YEAR.match(text)


def _look(text: str) -> str:
    """How a text is written: in capitals, with a capital, in small letters, or in letters without case."""
    if not any(character.isupper() or character.islower() for character in text):
        return "plain"
    if text.isupper():
        return "capitals" if len(text) > 1 else "capital"
    return "capital" if text[:1].isupper() else "small"
