"""What BM25 takes for a word, and that a question in another inflection finds the passage."""

import json
import math
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ingestion.text.acronyms import acronyms
from ingestion.text.language_detection import detect_language
from ingestion.text.terms import ANALYSER, Analyser, terms_with_spans

KEY = bytes(range(32))


def plain(text: str, language: str) -> list[str]:
    return [term for term, _, _ in terms_with_spans(text, language)]


def index(analyser: Analyser, passages: Iterable[tuple[str, str]]) -> sqlite3.Connection:
    """Return an FTS5 index as the catalogue keeps it, of (language, text) from row 1 on."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5 (body, content='', tokenize='ascii')")
    for language, text in passages:
        connection.execute("INSERT INTO t (body) VALUES (?)", (" ".join(analyser.terms(text, language)),))
    return connection


def match_expression(analyser: Analyser, question: str, languages: Iterable[str]) -> str:
    """Return the FTS5 expression that finds any of a question's words."""
    return " OR ".join(term for word in analyser.query(question, languages) for term in sorted(word))


def best(connection: sqlite3.Connection, match: str) -> list[int]:
    found = connection.execute("SELECT rowid FROM t WHERE t MATCH ? ORDER BY bm25(t), rowid", (match,))
    return [row for (row,) in found]


@pytest.mark.parametrize(
    ("language", "text", "terms"),
    [
        ("en", "Running ferries; the ferry RUNS", ["run", "ferri", "the", "ferri", "run"]),
        ("en", "author's don’t", ["author", "dont"]),
        ("en", "résumés naïve café", ["resum", "naiv", "cafe"]),
        ("en", "long-term snake_case R&D", ["long", "term", "snake", "case", "r", "d", "rd"]),
        ("en", "U.S. and e.g. Sec. A", ["us", "and", "eg", "sec", "a"]),
        ("en", "mail ann@example.org", ["mail", "ann", "exampl", "org"]),
        ("en", "soft\u00adware zero\u200bwidth ﬁne", ["softwar", "zerowidth", "fine"]),
        ("en", "Hello, world...\n\n", ["hello", "world"]),
        ("de", "Straße STRASSE Häuser", ["strass", "strass", "haus"]),
        ("fr", "l'homme L’État qu'il", ["l", "homm", "l", "etat", "qu", "il"]),
        ("uk", "м'ята", ["мята"]),
        ("ru", "ёлка йод", ["елк", "йод"]),
        ("tr", "ISPARTA Isparta", ["ispar", "ispar"]),
        ("hi", "किताबें", ["किताब"]),
        ("ar", "كِتَاب كتاب", ["كتاب", "كتاب"]),
        ("zh", "苹果", ["苹", "苹果", "果"]),
        ("zh", "猫 iPhones", ["猫", "iphon"]),
        ("ja", "すし ﾊﾟﾝ ア", ["すし", "パン", "ア"]),
        ("ja", "猫は", ["猫", "猫は"]),
        ("th", "ภาษา", ["ภา", "ภาษา", "ษา"]),
        ("ko", "서울은", ["서", "서울", "울", "울은", "은"]),
        ("und", "author's ferries", ["author", "ferri"]),
        ("xx", "Unknown words", ["unknown", "words"]),
        ("en", "", []),
        ("en", "— … \u00ad \ufeff \u0301", []),
    ],
)
def test_a_text_gives_the_terms_of_its_language(language: str, text: str, terms: list[str]) -> None:
    assert plain(text, language) == terms


@pytest.mark.parametrize(
    ("language", "text", "terms"),
    [
        ("en", "66,608 66608 66\u202f608", ["66608"] * 3),
        ("en", "$1.2 1.2 3.5% 1,234.5", ["1.2", "1.2", "3.5", "1234.5"]),
        ("en", "1,2,3 3.11.7", ["1", "2", "3", "3.11.7"]),
        ("en", "2008-2009", ["2008", "2009"]),
        ("en", "1990's 1990s", ["1990", "s", "1990s", "1990"]),
        ("en", "10-K 10K COVID-19", ["10", "k", "10k", "10k", "10", "covid", "19", "covid19"]),
        ("de", "66.608 3,5 12.5 1.234.567,89", ["66608", "3.5", "12.5", "1234567.89"]),
        ("fr", "1\u202f234,5", ["1234.5"]),
        ("ar", "٢٠٢٤", ["2024"]),
        ("th", "๑๒๓", ["123"]),
        ("ja", "１２３", ["123"]),
    ],
)
def test_a_number_is_one_term_however_it_is_written(language: str, text: str, terms: list[str]) -> None:
    assert plain(text, language) == terms


@pytest.mark.parametrize("text", ["implemen-\ntation", "implemen-\r\n  tation", "implemen\u00ad\ntation"])
def test_a_word_broken_at_the_end_of_a_line_is_found_whole(text: str) -> None:
    assert ("implement", 0, len(text)) in terms_with_spans(text, "en")


def test_a_hyphenated_pair_at_the_end_of_a_line_keeps_its_parts() -> None:
    assert plain("long-\nterm", "en") == ["long", "term", "longterm"]


def test_spans_are_the_characters_of_each_word() -> None:
    text = "The 66,608 cafés"
    assert [text[start:end] for _, start, end in terms_with_spans(text, "en")] == ["The", "66,608", "cafés"]
    text = "一只猫"
    assert [text[start:end] for _, start, end in terms_with_spans(text, "zh")] == [
        "一",
        "一只",
        "只",
        "只猫",
        "猫",
    ]


@pytest.mark.parametrize("form", ["café", "cafe\u0301", "CAFÉ"])
def test_one_word_in_several_encodings_is_one_term(form: str) -> None:
    assert plain(form, "fr") == plain("café", "fr")


def test_korean_from_a_file_name_of_a_mac_is_the_same_word() -> None:
    assert plain("\u1109\u1165\u110b\u116e\u11af", "ko") == plain("서울", "ko")


@pytest.mark.parametrize(
    ("language", "passages", "question"),
    [
        (
            "en",
            ["The old cranes were replaced in spring.", "A pear ripens late."],
            "Who replaces the crane?",
        ),
        ("de", ["Die alten Häuser stehen am Fluss.", "Der Kran wurde ersetzt."], "Welches Haus ist alt?"),
        ("fr", ["Les élèves mangeaient des pommes.", "Le port est fermé."], "Que mange l'élève ?"),
        ("es", ["Las naciones firmaron los acuerdos.", "El puerto cerró."], "¿Qué nación firmó un acuerdo?"),
        ("ru", ["В библиотеке много книг.", "Порт закрыт зимой."], "Где лежит книга из библиотеки?"),
        ("zh", ["港口在冬天关闭。", "邻居种了三棵苹果树。"], "苹果树是谁种的？"),
        ("ja", ["港は冬に閉まります。", "隣の人がリンゴの木を植えた。"], "リンゴを植えます"),
        ("th", ["ท่าเรือปิดในฤดูหนาว", "เพื่อนบ้านปลูกต้นแอปเปิล"], "ใครปลูกแอปเปิล"),
        ("ko", ["항구는 겨울에 닫는다.", "이웃이 사과나무를 심었다."], "사과나무가 어디에 있나요"),
    ],
)
def test_a_question_in_another_inflection_finds_the_passage(
    language: str, passages: list[str], question: str
) -> None:
    analyser = Analyser(KEY)
    connection = index(analyser, ((language, passage) for passage in passages))
    expected = 1 if language in ("en", "de", "fr", "es", "ru") else 2
    assert best(connection, match_expression(analyser, question, [language]))[0] == expected


def test_a_question_finds_documents_of_every_language_in_the_library() -> None:
    analyser = Analyser(KEY)
    connection = index(analyser, [("en", "organisations"), ("de", "Organisationen"), ("fr", "poire")])
    assert best(connection, match_expression(analyser, "Organisation", ["en", "de"])) == [1, 2]
    assert best(connection, match_expression(analyser, "Organisationen", ["en"])) == []


def test_stems_that_agree_are_asked_once_and_others_are_alternatives() -> None:
    analyser = Analyser(KEY)
    (same,) = analyser.query("Port", ["en", "de", "en"])
    assert same == set(analyser.terms("port", "en"))
    (either,) = analyser.query("Häusern", ["de", "en"])
    assert either == {*analyser.terms("Häusern", "de"), *analyser.terms("Häusern", "en")}
    assert len(either) == 2


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("FY2022", ["2022", "fy", "fy2022"]),
        ("2023Q2", ["2023", "2023q2"]),  # of "q" and "2" everything has one
        ("a1b2c3d4", ["a1b2c3d4"]),
        ("x86_64", ["64", "86", "x86"]),
        ("F-16A", ["16", "16a", "f", "f16a"]),
        ("FY2022-Q3", ["2022", "fy", "fy2022", "fy2022q3", "q3"]),
    ],
)
def test_letters_and_figures_of_a_word_are_found_apart(word: str, parts: list[str]) -> None:
    assert sorted(plain(word, "en")) == parts


def test_a_word_asked_twice_counts_once() -> None:
    term = Analyser(KEY).terms("pear", "en")[0]
    assert match_expression(Analyser(KEY), "pear pears", ["en"]) == term


@pytest.mark.parametrize(
    ("question", "languages", "asked"),
    [
        ("What is the price of a pear?", ["en"], "price pear"),
        ("Was kostet die Birne?", ["de"], "kostet Birne"),
        ("What caused the war?", ["de", "en"], "caused war"),  # "war" is "was" in German
        ("Wo war der Krieg?", ["de", "en"], "Krieg"),
        ("war", ["de", "en"], "war"),  # as many in both: nothing is left out
        ("To be or not to be", ["en"], "To be or not"),  # there is nothing else
        ("Who won vitamin D?", ["en"], "won vitamin D"),  # and not of "won't" and "I'd"
        ("Don’t WOULD pears fall", ["en"], "pears fall"),
        ("La me\u0302me poire", ["fr"], "poire"),
        ("Which day in May?", ["en"], "day May"),
        ("Hvad er det?", ["xx"], "Hvad er det"),
    ],
)
def test_function_words_are_not_looked_for(question: str, languages: list[str], asked: str) -> None:
    analyser = Analyser(KEY)
    expected = {
        frozenset(analyser.terms(word, language)[0] for language in languages) for word in asked.split()
    }
    assert set(analyser.query(question, languages)) == expected


@pytest.mark.parametrize("acronym", ["IT", "WHO", "CAN", "AM", "WILL", "IS", "ALL"])
def test_an_acronym_is_told_from_the_word_that_it_is_spelt_like(acronym: str) -> None:
    analyser = Analyser(KEY)
    meant = f"The {acronym} desk is in room 310."
    other = f"In winter {acronym.lower()} {acronym.lower()} {acronym.lower()} was built."
    shouted = f"NOTE THAT {acronym} HAS BEEN CLOSED FOR THE WINTER."
    connection = index(analyser, [("en", other), ("en", shouted), ("en", meant)])
    for question in (f"Which {acronym} mirador?", f"Where is {acronym}, mirador?"):
        assert best(connection, match_expression(analyser, question, ["en"])) == [3]
    for question in (acronym, f"{acronym}?"):  # as a word of capitals alone, also in other writing
        assert best(connection, match_expression(analyser, question, ["en"]))[0] == 3
        assert len(best(connection, match_expression(analyser, question, ["en"]))) == 3
    asked = analyser.query(f"WHERE IS {acronym} NOW PLEASE?", ["en"])
    assert asked == analyser.query("please", ["en"])  # nobody can tell


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The IT desk, WHO and U.S.A.M. reports", ["it", "who"]),
        ("IT-Budget (IT), A.M. and AM.", ["it", "it", "am", "am"]),
        ("IT DEPARTMENT\nIT WAS RAINING ON THE WAY\nIt rained.", ["it"]),
        ("pears AND apples, NOT plums", []),
        ("NASA WOULD BIT", []),
    ],
)
def test_acronyms_that_are_function_words(text: str, found: list[str]) -> None:
    assert [word for word, _, _ in acronyms(text)] == found
    assert all(text[start:end].replace(".", "").lower() == word for word, start, end in acronyms(text))


def test_a_question_without_documents_or_words() -> None:
    analyser = Analyser(KEY)
    assert match_expression(analyser, "pears", []) == analyser.terms("pear", "und")[0]
    assert match_expression(analyser, "?! …", ["en"]) == ""


def test_fts5_takes_any_question() -> None:
    analyser = Analyser(KEY)
    connection = index(analyser, [("en", 'AND OR NOT NEAR body:x "quoted" (a*)')])
    for question in ('NOT "x', "NEAR(", "body:", "a*", " ".join(f"w{n}" for n in range(20_000)) + " quoted"):
        assert best(connection, match_expression(analyser, question, ["en"])) == [1]


def test_terms_are_keyed_hashes_in_order_with_repetitions() -> None:
    terms = Analyser(KEY).terms("pear apple pears 猫猫", "en")
    assert all(re.fullmatch("[0-9a-v]{13}", term) for term in terms)
    assert terms[0] == terms[2] != terms[1]
    assert terms == Analyser(KEY).terms("pear apple pears 猫猫", "en")
    assert not set(terms) & set(Analyser(b"another key of 16").terms("pear apple pears 猫猫", "en"))


def test_what_is_deleted_leaves_an_index_that_is_sound() -> None:
    analyser = Analyser(KEY)
    texts = [("de", "Häuser am Fluss, 66.608 Euro"), ("en", "houses")]
    connection = index(analyser, texts)
    body = " ".join(analyser.terms(texts[0][1], "de"))
    connection.execute("INSERT INTO t (t, rowid, body) VALUES ('delete', 1, ?)", (body,))
    connection.execute("INSERT INTO t (t) VALUES ('integrity-check')")
    assert best(connection, match_expression(analyser, "Haus", ["de"])) == []


@pytest.mark.parametrize("key", [b"", b"short", bytes(65)])
def test_a_key_of_another_length_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match=f"{len(key)} bytes; give 16 to 64"):
        Analyser(key)


def test_the_version_names_what_decides_the_terms() -> None:
    assert re.fullmatch(r"words \d+, PyStemmer \d[\d.]+, Unicode \d[\d.]+", ANALYSER)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    ["a" * 300_000, "a-" * 100_000, "\u0301" * 300_000, "a" + "\u0301\u0323" * 150_000, "a.b." * 50_000,
     "1," * 100_000, "กำ" * 50_000 + "\u0e31\u0e48" * 50_000, "\u1100" * 100_000, "-  \n" * 50_000,
     "a-" + " " * 300_000, "\ud800" * 1000],
    ids=range(11),
)  # fmt: skip
def test_hostile_text_takes_linear_time(text: str) -> None:
    terms = Analyser(KEY).terms(text, "en")
    assert len(terms) <= 2 * len(text)


def test_threads_get_the_terms_that_one_thread_gets() -> None:
    text = " ".join(
        f"{stem}{ending}" for stem in map(chr, range(97, 123)) for ending in ("ations", "ness", "ing")
    )
    expected = Analyser(KEY).terms(text, "en")
    found: list[list[str]] = []
    analyser = Analyser(KEY)
    threads = [threading.Thread(target=lambda: found.append(analyser.terms(text, "en"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


# Sentences of the same two facts in eighteen languages.
SENTENCES = {
    "ar": "تغادر العبارة إلى الجزيرة عند الظهر من الرصيف القديم.",
    "de": "Die Fähre zur Insel fährt mittags vom alten Anleger ab.",
    "el": "Το πλοίο για το νησί φεύγει το μεσημέρι από την παλιά προβλήτα.",
    "en": "The ferry to the island leaves at noon from the old pier.",
    "es": "El barco a la isla sale al mediodía desde el viejo muelle.",
    "fr": "Le bateau pour l'île part à midi du vieux quai.",
    "hi": "द्वीप जाने वाली नाव दोपहर को पुराने घाट से निकलती है।",
    "it": "Il traghetto per l'isola parte a mezzogiorno dal vecchio molo.",
    "ja": "島へ行くフェリーは正午に古い桟橋から出発します。",
    "ko": "이웃들은 담을 따라 사과나무 세 그루를 심었고 매년 가을 과일을 줍니다.",
    "nl": "De veerboot naar het eiland vertrekt om twaalf uur van de oude steiger.",
    "pl": "Prom na wyspę odpływa w południe ze starej przystani.",
    "pt": "O barco para a ilha parte ao meio-dia do velho cais.",
    "ru": "Паром на остров отходит в полдень от старой пристани.",
    "sv": "Färjan till ön går vid middagstid från den gamla bryggan.",
    "th": "เพื่อนบ้านของเราปลูกต้นแอปเปิลสามต้นริมกำแพงและให้ผลไม้เราทุกฤดูใบไม้ร่วง",
    "tr": "Adaya giden vapur öğlen eski iskeleden kalkıyor.",
    "zh": "去岛上的渡轮中午从旧码头出发，每天只有一班，请大家提前到达。",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_the_language_of_one_sentence_is_detected(language: str) -> None:
    assert detect_language([SENTENCES[language]]) == language
    assert detect_language(iter([SENTENCES[language].upper()])) == language


@pytest.mark.parametrize(
    "pages",
    [
        [],
        ["", " \n "],
        ["Ferry"],
        ["12,345 67.8 91% 2019 2020 | 44 55 " * 50],
        ["https://example.org/the/old/pier/of/the/ferry"],
        ["asdf qwer zxcv hjkl uiop vbnm tyui ghjk"],
    ],
)
def test_what_is_no_text_of_a_language_is_undetermined(pages: list[str]) -> None:
    assert detect_language(pages) == "und"


def test_the_main_language_wins_over_an_abstract_in_another() -> None:
    assert detect_language([SENTENCES["en"] * 4, *[SENTENCES["de"] * 4] * 20]) == "de"
    assert detect_language([*[SENTENCES["de"] * 4] * 20, *[SENTENCES["en"] * 4] * 3]) == "de"


def test_figures_do_not_hide_the_language() -> None:
    assert detect_language([f"{SENTENCES['fr']} {'1 234,5 | 67 % ' * 20}" * 10]) == "fr"


def test_importing_loads_no_model() -> None:
    code = "import ingestion.text.language_detection as d; assert d._identifier.cache_info().currsize == 0"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def ndcg(found: list[str], relevant: dict[str, int]) -> float:
    """nDCG@10."""
    gain = sum(relevant.get(name, 0) / math.log2(rank + 2) for rank, name in enumerate(found[:10]))
    ideal = sorted(relevant.values(), reverse=True)[:10]
    return gain / sum(grade / math.log2(rank + 2) for rank, grade in enumerate(ideal))


def mean_ndcg(
    folder: Path, tokenizer: str, terms: Callable[[str], str], match: Callable[[str], str]
) -> float:
    """Return BM25's mean nDCG@10 on a data set in BEIR's form."""
    passages = [json.loads(line) for line in (folder / "corpus.jsonl").read_bytes().splitlines()]
    questions = [json.loads(line) for line in (folder / "queries.jsonl").read_bytes().splitlines()]
    relevant: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text("utf-8").splitlines()[1:]:
        question, passage, grade = line.split("\t")
        relevant.setdefault(question, {})[passage] = int(grade)
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE VIRTUAL TABLE t USING fts5 (body, content='', tokenize='{tokenizer}')")
    rows = [(terms(f"{passage.get('title', '')} {passage['text']}"),) for passage in passages]
    connection.executemany("INSERT INTO t (body) VALUES (?)", rows)
    figures = [
        ndcg([passages[row - 1]["_id"] for row in best(connection, match(question["text"]))], judged)
        for question in questions
        if (judged := relevant.get(question["_id"]))
    ]
    return sum(figures) / len(figures)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["xquad-en", "cranfield", pytest.param("covidqa-dev", marks=pytest.mark.soak)]
)
def test_english_is_found_as_well_as_with_the_tokenizer_of_sqlite(eval_data: Path, name: str) -> None:
    def any_word(question: str) -> str:
        return " OR ".join(f'"{word}"' for word in re.findall(r"\w+", question.lower()))

    analyser = Analyser(KEY)
    theirs = mean_ndcg(eval_data / name, "porter unicode61 remove_diacritics 2", str, any_word)
    ours = mean_ndcg(
        eval_data / name,
        "ascii",
        lambda text: " ".join(analyser.terms(text, "en")),
        lambda question: match_expression(analyser, question, ["en"]),
    )
    assert ours >= theirs - 0.002


@pytest.mark.parametrize(
    "texts",
    [
        ("1,234,567", "1 234 567", "1'234'567", "12,34,567", "1\u2009234\u2009567", "1.234.567"),
        ("1,234,567.89", "1.234.567,89", "1 234 567,89"),
        ("3 March 2024", "03/03/2024", "2024-03-03", "3. März 2024", "3 mars 2024", "3.3.2024"),
        ("AB 12 34", "AB1234", "AB-12-34"),
        ("978-3-16-148410-0", "9783161484100"),
    ],
)
@pytest.mark.parametrize("language", ["en", "de"])
def test_what_is_written_in_other_forms_meets(texts: tuple[str, ...], language: str) -> None:
    shared = set.intersection(*({term for term, _, _ in terms_with_spans(text, language)} for text in texts))
    assert any(len(term) >= 6 for term in shared)
