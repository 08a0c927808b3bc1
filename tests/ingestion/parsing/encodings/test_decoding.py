"""Texts in legacy encodings: read as what they are, or refused by name."""

from pathlib import Path

import pytest

from ingestion.documents import Status
from ingestion.parsing import encoding_named, parse
from ingestion.parsing.encodings.decoding import Decoded, decode
from ingestion.parsing.frames import RefusalError

SENTENCES = {
    "de": "Die Prüfung des Kühlhauses übernimmt Frau Größler. Schlüssel hängen im Büro.",
    "fr": "La vérification a été faite à Besançon par Hélène Lefèvre, la clé est derrière la fenêtre.",
    "es": "El año pasado el señor Muñoz revisó la cámara; la llave está en el cajón.",
    "pt": "A câmara é revista em abril. O responsável é João Gonçalves, as opções são fáceis.",
    "sv": "Nyckeln ligger på hyllan. Ansvarig för kylanläggningen är Åsa Öberg, varje år.",
    "pl": "Przegląd odbywa się w październiku. Odpowiedzialna jest Grażyna Łęcka, klucz leży w szafie.",
    "cs": "Příští kontrola proběhne v září. Klíč leží ve skříni, odpovídá Jiří Dvořák.",
    "hu": "A következő ellenőrzés októberben lesz, felelős Őri Tünde. A kulcs a szekrényben, időpont: hétfő.",
    "tr": "Soğutucu her yıl denetlenir. Sorumlu kişi Işıl Çağlar, anahtar dolapta duruyor.",
    "lt": "Kitas patikrinimas bus spalį. Atsakingas Žydrūnas Šimkus, raktas yra spintoje už durų.",
    "ru": "Следующая проверка будет в октябре. Отвечает Мария Зимина, ключ в шкафу.",
    "uk": "Наступна перевірка буде у жовтні. Відповідає Їжакевич, ключ лежить у шафі.",
    "el": "Ο επόμενος έλεγχος γίνεται τον Οκτώβριο. Υπεύθυνη είναι η Ελένη Μακρή.",
    "he": "הבדיקה הבאה תהיה באוקטובר. האחראית היא רות כהן והמפתח נמצא בארון.",
    "ar": "الفحص القادم في شهر أكتوبر. المسؤولة هي ليلى حسن والمفتاح في الخزانة.",
    "th": "การตรวจสอบครั้งต่อไปจะมีขึ้นในเดือนตุลาคม กุญแจอยู่ในตู้",
    "zh": "下次检查在十月进行。负责人是李小红，仓库的钥匙在办公室里。",
    "zh-Hant": "下次檢查在十月進行。負責人是陳美玲，倉庫的鑰匙在辦公室裡。",
    "ja": "次の点検は十月に行います。担当者は佐藤花子です。鍵は事務所の棚にあります。",
    "ko": "다음 점검은 시월에 합니다. 담당자는 박서연이고 열쇠는 사무실에 있습니다.",
}
LEGACY = [
    ("de", "cp1252"), ("de", "cp850"), ("de", "cp437"), ("de", "mac_roman"), ("de", "utf-16-le"),
    ("de", "utf-16-be"), ("de", "utf-32-le"), ("de", "utf-32-be"), ("fr", "cp1252"), ("fr", "cp850"),
    ("fr", "mac_roman"), ("fr", "iso8859_15"), ("es", "cp1252"), ("es", "cp850"), ("pt", "cp850"),
    ("sv", "cp850"), ("sv", "mac_roman"), ("pl", "cp1250"), ("pl", "cp852"), ("pl", "iso8859_2"),
    ("cs", "cp1250"), ("cs", "cp852"), ("hu", "cp1250"), ("hu", "cp852"), ("tr", "cp1254"), ("lt", "cp1257"),
    ("ru", "cp1251"), ("ru", "koi8_r"), ("ru", "cp866"), ("ru", "iso8859_5"), ("ru", "mac_cyrillic"),
    ("ru", "utf-16-le"), ("uk", "cp1251"), ("uk", "koi8_u"), ("el", "cp1253"), ("el", "iso8859_7"),
    ("he", "cp1255"), ("ar", "cp1256"), ("th", "cp874"), ("zh", "gbk"), ("zh", "gb18030"),
    ("zh", "utf-16-be"), ("zh-Hant", "big5"), ("ja", "cp932"), ("ja", "euc_jp"), ("ja", "iso2022_jp"),
    ("ja", "utf-16-le"), ("ko", "cp949"), ("ko", "utf-16-be"),
]  # fmt: skip


def written(folder: Path, data: bytes, name: str = "a.txt") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def refused(path: Path, **said: str) -> str:
    with pytest.raises(RefusalError) as raised:
        decode(path, **said)
    assert raised.value.status is Status.UNSUPPORTED
    return raised.value.error


@pytest.mark.parametrize(("language", "encoding"), LEGACY)
def test_a_sentence_is_read_as_its_language(tmp_path: Path, language: str, encoding: str) -> None:
    decoded = decode(written(tmp_path, SENTENCES[language].encode(encoding)))
    assert decoded.text == SENTENCES[language]
    (warning,) = decoded.warnings
    assert "'a.txt' does not say its encoding; it was read as " in warning.text
    assert "--encoding" in warning.text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Kälte", "mac_roman"),
        ("Győr, Fő utca", "cp1250"),
        ("联通", "gbk"),
        ("東京", "euc_jp"),
        ("Αθήνα", "cp1253"),
        ("Łódź", "iso8859_2"),
    ],
)
def test_too_few_words_are_refused(tmp_path: Path, text: str, encoding: str) -> None:
    path = written(tmp_path, text.encode(encoding))
    error = refused(path)
    assert "the encoding of 'a.txt' cannot be told: it is not UTF-8, and none of " in error
    assert "--encoding NAME" in error
    assert decode(path, told=encoding_named(encoding)) == Decoded(text)


def test_utf_8_and_ascii_are_not_guessed(tmp_path: Path) -> None:
    for text in ("plain", *SENTENCES.values()):
        assert decode(written(tmp_path, text.encode())) == Decoded(text)


def test_what_a_person_says_has_to_fit(tmp_path: Path) -> None:
    path = written(tmp_path, SENTENCES["ru"].encode("cp1251"))
    assert decode(path, told="cp1251") == Decoded(SENTENCES["ru"])
    assert "is not UTF-8, as was said: byte 0 does not fit" in refused(path, told="utf_8")
    path = written(tmp_path, SENTENCES["de"].encode())
    (warning,) = decode(path, told="cp850").warnings
    assert "its bytes are UTF-8, too" in warning.text


def test_utf_16_needs_no_order_of_bytes(tmp_path: Path) -> None:
    for order in ("le", "be"):
        path = written(tmp_path, SENTENCES["el"].encode(f"utf-16-{order}"))
        assert decode(path, told=encoding_named("UTF-16")) == Decoded(SENTENCES["el"])


def test_damaged_utf_8_stays_utf_8_and_says_so(tmp_path: Path) -> None:
    data = SENTENCES["cs"].encode() + b" caf\xe9 " + SENTENCES["cs"].encode()
    decoded = decode(written(tmp_path, data))
    assert decoded.text == f"{SENTENCES['cs']} caf\ufffd {SENTENCES['cs']}"
    assert "has 1 characters that are damaged in UTF-8" in decoded.warnings[0].text


@pytest.mark.parametrize(
    ("declared", "encoding", "language"),
    [("gb2312", "gbk", "zh"), ("iso-8859-1", "cp1252", "de"), ("windows-1251", "cp1251", "ru")],
)
def test_a_page_is_what_it_declares(tmp_path: Path, declared: str, encoding: str, language: str) -> None:
    page = f'<html><head><meta charset="{declared}"></head><body><p>{SENTENCES[language]}</p></body></html>'
    document = parse(written(tmp_path, page.encode(encoding), "a.html"))
    assert (document.status, document.warnings) == (Status.OK, ())
    assert SENTENCES[language] in document.pages[0].text


@pytest.mark.parametrize(
    ("encoding", "told"), [("utf-8", "its bytes are UTF-8"), ("cp932", "which does not fit")]
)
def test_a_page_that_declares_what_it_is_not(tmp_path: Path, encoding: str, told: str) -> None:
    page = f'<html><head><meta charset="windows-1252"></head><body><p>{SENTENCES["ja"]}</p></body></html>'
    document = parse(written(tmp_path, page.encode(encoding), "a.html"))
    assert SENTENCES["ja"] in document.pages[0].text
    assert told in document.warnings[0]


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.csv", "a.html"])
def test_every_format_of_text_takes_what_is_said(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, "名前 東京".encode("euc_jp"), name)
    document = parse(path, encoding="euc_jp")
    assert (document.status, document.warnings) == (Status.OK, ())
    assert document.pages[0].text.strip() == "名前 東京"


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("gbk", "gb18030"), ("GB2312", "gb18030"), ("shift-jis", "cp932"), ("Windows-1252", "cp1252"),
        ("1252", "cp1252"), ("latin1", "iso8859_1"), ("utf8", "utf_8"), ("IBM850", "cp850"),
        ("Mac Roman", "mac_roman"), ("windows-874", "cp874"), ("KOI8-R", "koi8_r"), ("big5", "big5hkscs"),
        ("euc-kr", "cp949"), ("nonsense", None), ("zip", None), ("utf-7", None), ("", None), ("a\0", None),
    ],
)  # fmt: skip
def test_names_of_encodings(name: str, known: str | None) -> None:
    assert encoding_named(name) == known
