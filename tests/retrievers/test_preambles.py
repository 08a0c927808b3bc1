"""The question within a message."""

import pytest

from ingestion.text.identifiers import IdentifierKind, identifiers
from retrievers.preambles import core


@pytest.mark.parametrize(
    ("message", "question"),
    [
        ("Hello, how are you? I was wondering if you could tell me what a key costs.", "what a key costs."),
        ("Guten Tag, können Sie mir bitte sagen, wo der Zähler ist? Vielen Dank!", "wo der Zähler ist?"),
        ("Bonjour, pourriez-vous me dire où se trouve le compteur ?", "où se trouve le compteur ?"),
        ("Hola, ¿me podría decir dónde está el contador? Gracias.", "dónde está el contador?"),
        ("I bought a Zorg AX-310 lately. How long does the guarantee last?",
         "How long does the guarantee last? (Zorg AX-310)"),
        ("The boiler is loud. Who repairs it?", "The boiler is loud. Who repairs it?"),
        ("Hello Kitty was created by whom?", "Hello Kitty was created by whom?"),
        ("Thanks!", "Thanks!"),
    ],
)  # fmt: skip
def test_core(message: str, question: str) -> None:
    assert core(message) == question


@pytest.mark.parametrize(
    "question",
    [
        "What was revenue in Q3 2022 and FY2022?", "What does the Form 10-K say of 5G?",
        "What happened on 3 March 2024?", "The top 10 of mid-2022, at 18:30, 2019-2020, 5kg, 24-hour?",
    ],
)  # fmt: skip
def test_what_is_built_like_an_identifier_and_is_none(question: str) -> None:
    assert identifiers(question) == []


def test_identifiers() -> None:
    found = identifiers("Is INV/2024/003 or 0x80070057 of COVID-19, “force majeure” or IBAN DE89 3704 0044?")
    assert [(one.key, one.kind) for one in found] == [
        ("inv2024003", IdentifierKind.CODE),
        ("0x80070057", IdentifierKind.CODE),
        ("covid19", IdentifierKind.NAME),
        ("forcemajeure", IdentifierKind.PHRASE),
        ("de8937040044", IdentifierKind.CODE),
    ]
