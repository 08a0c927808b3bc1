"""What an answer says of a side whose documents do not answer, in the languages of the refusals."""

from collections.abc import Mapping, Sequence

# Of more documents than these none is named.
_MOST_NAMED = 2
# Language → the sentence, and what stands for documents that are not named.
_NOTHING: Mapping[str, tuple[str, str]] = {
    "en": ("{side}: nothing about this was found in {documents}.", "your documents"),
    "de": ("{side}: Dazu wurde in {documents} nichts gefunden.", "Ihren Dokumenten"),
    "fr": ("{side} : rien à ce sujet n'a été trouvé dans {documents}.", "vos documents"),
    "es": ("{side}: no se ha encontrado nada sobre esto en {documents}.", "sus documentos"),
    "it": ("{side}: non è stato trovato nulla in proposito in {documents}.", "questi documenti"),
    "nl": ("{side}: hierover is niets gevonden in {documents}.", "uw documenten"),
    "pt": ("{side}: não foi encontrado nada sobre isto em {documents}.", "seus documentos"),
    "da": ("{side}: der blev ikke fundet noget om dette i {documents}.", "dine dokumenter"),
    "sv": ("{side}: inget om detta hittades i {documents}.", "dina dokument"),
    "no": ("{side}: det ble ikke funnet noe om dette i {documents}.", "dokumentene dine"),
    "ru": ("{side}: в {documents} об этом ничего не найдено.", "ваших документах"),
    "tr": ("{side}: {documents} içinde bununla ilgili bir şey bulunamadı.", "belgeleriniz"),
}


def nothing_found(language: str, side: str, documents: Sequence[str]) -> str:
    """Return that nothing was found about a side; in English for a language without the sentence.

    Args:
        side: As the question names it.
        documents: The names of its documents; none where no document has its name.
    """
    sentence, unnamed = _NOTHING.get(language, _NOTHING["en"])
    listed = ", ".join(documents) if 0 < len(documents) <= _MOST_NAMED else unnamed
    return sentence.format(side=side, documents=listed)
