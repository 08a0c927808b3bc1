"""The sentences of refusals, in the languages of `questions.phrases`."""

from collections.abc import Mapping
from dataclasses import dataclass

from rag_app.answering.questions.asked_values import ValueKind


@dataclass(frozen=True, slots=True)
class RefusalTexts:
    """The sentences of one language.

    Attributes:
        not_found: The documents are about the question, and do not answer it.
        nothing: The documents are not about the question.
        unknown: No document has {terms}.
        unseen: No passage that was found has {terms}.
        apart: No passage has {first} and {second}.
        unsaid: Passages have everything that the question names.
        closest: Above the closest passages.
        page: The word before a page's number.
        either: The word between two terms.
    """

    not_found: str
    nothing: str
    unknown: str
    unseen: str
    apart: str
    unsaid: str
    closest: str
    page: str
    either: str


TEXTS: Mapping[str, RefusalTexts] = {
    "en": RefusalTexts(
        "I couldn't find this in your documents.",
        "Nothing in your documents is about this.",
        "None of them mentions {terms}.",
        "Nothing that was found for this question mentions {terms}.",
        "No passage mentions {first} together with {second}.",
        "The passages found are about it, but none of them seems to answer it.",
        "Closest passages:",
        "page",
        "or",
    ),
    "de": RefusalTexts(
        "Das habe ich in Ihren Dokumenten nicht gefunden.",
        "In Ihren Dokumenten geht es nirgends darum.",
        "Keines davon erwähnt {terms}.",
        "Keine der gefundenen Stellen erwähnt {terms}.",
        "Keine Stelle erwähnt {first} zusammen mit {second}.",
        "Die gefundenen Stellen handeln davon, aber keine scheint die Frage zu beantworten.",
        "Nächstliegende Stellen:",
        "Seite",
        "oder",
    ),
    "fr": RefusalTexts(
        "Je n'ai pas trouvé cela dans vos documents.",
        "Rien dans vos documents ne porte sur ce sujet.",
        "Aucun d'eux ne mentionne {terms}.",
        "Aucun des passages trouvés ne mentionne {terms}.",
        "Aucun passage ne mentionne à la fois {first} et {second}.",
        "Les passages trouvés en parlent, mais aucun ne semble répondre à la question.",
        "Passages les plus proches :",
        "page",
        "ou",
    ),
    "es": RefusalTexts(
        "No lo he encontrado en tus documentos.",
        "Nada en tus documentos trata de esto.",
        "Ninguno de ellos menciona {terms}.",
        "Ningún pasaje encontrado menciona {terms}.",
        "Ningún pasaje menciona {first} junto con {second}.",
        "Los pasajes encontrados tratan de ello, pero ninguno parece responder a la pregunta.",
        "Pasajes más cercanos:",
        "página",
        "ni",
    ),
    "it": RefusalTexts(
        "Non l'ho trovato nei tuoi documenti.",
        "Nei tuoi documenti non c'è nulla su questo.",
        "Nessuno di essi menziona {terms}.",
        "Nessuno dei passi trovati menziona {terms}.",
        "Nessun passo menziona {first} insieme a {second}.",
        "I passi trovati ne parlano, ma nessuno sembra rispondere alla domanda.",
        "Passi più vicini:",
        "pagina",
        "o",
    ),
    "nl": RefusalTexts(
        "Ik heb dit niet in je documenten gevonden.",
        "Niets in je documenten gaat hierover.",
        "Geen ervan noemt {terms}.",
        "Geen van de gevonden passages noemt {terms}.",
        "Geen passage noemt {first} samen met {second}.",
        "De gevonden passages gaan erover, maar geen ervan lijkt de vraag te beantwoorden.",
        "Dichtstbijzijnde passages:",
        "pagina",
        "of",
    ),
    "pt": RefusalTexts(
        "Não encontrei isto nos seus documentos.",
        "Nada nos seus documentos trata disto.",
        "Nenhum deles menciona {terms}.",
        "Nenhum dos trechos encontrados menciona {terms}.",
        "Nenhum trecho menciona {first} junto com {second}.",
        "Os trechos encontrados tratam disso, mas nenhum parece responder à pergunta.",
        "Trechos mais próximos:",
        "página",
        "ou",
    ),
    "da": RefusalTexts(
        "Det fandt jeg ikke i dine dokumenter.",
        "Intet i dine dokumenter handler om dette.",
        "Ingen af dem nævner {terms}.",
        "Ingen af de fundne steder nævner {terms}.",
        "Intet sted nævner {first} sammen med {second}.",
        "De fundne steder handler om det, men ingen af dem ser ud til at besvare spørgsmålet.",
        "Nærmeste steder:",
        "side",
        "eller",
    ),
    "sv": RefusalTexts(
        "Jag hittade inte detta i dina dokument.",
        "Inget i dina dokument handlar om detta.",
        "Inget av dem nämner {terms}.",
        "Inget av de funna avsnitten nämner {terms}.",
        "Inget avsnitt nämner {first} tillsammans med {second}.",
        "De funna avsnitten handlar om det, men inget av dem verkar besvara frågan.",
        "Närmaste avsnitt:",
        "sida",
        "eller",
    ),
    "no": RefusalTexts(
        "Jeg fant ikke dette i dokumentene dine.",
        "Ingenting i dokumentene dine handler om dette.",
        "Ingen av dem nevner {terms}.",
        "Ingen av avsnittene som ble funnet, nevner {terms}.",
        "Ingen avsnitt nevner {first} sammen med {second}.",
        "Avsnittene som ble funnet, handler om det, men ingen av dem ser ut til å svare på spørsmålet.",
        "Nærmeste avsnitt:",
        "side",
        "eller",
    ),
    "ru": RefusalTexts(
        "Я не нашёл этого в ваших документах.",
        "В ваших документах об этом ничего нет.",
        "Ни в одном из них нет {terms}.",
        "Ни в одном из найденных отрывков нет {terms}.",
        "Ни в одном отрывке нет {first} вместе с {second}.",
        "Найденные отрывки об этом, но ни один, похоже, не отвечает на вопрос.",
        "Ближайшие отрывки:",
        "страница",
        "или",
    ),
    "tr": RefusalTexts(
        "Bunu belgelerinizde bulamadım.",
        "Belgelerinizde bununla ilgili bir şey yok.",
        "Hiçbirinde {terms} geçmiyor.",
        "Bulunan bölümlerin hiçbirinde {terms} geçmiyor.",
        "Hiçbir bölümde {first} ile {second} birlikte geçmiyor.",
        "Bulunan bölümler bununla ilgili, ama hiçbiri soruyu yanıtlamıyor gibi görünüyor.",
        "En yakın bölümler:",
        "sayfa",
        "veya",
    ),
}


# That no passage has a value of the sort that a question asks for, in the languages of its forms.
LACKING: Mapping[str, Mapping[ValueKind, str]] = {
    "en": {
        ValueKind.PERCENTAGE: "The passages found are about it, but none of them gives a percentage.",
        ValueKind.MONEY: "The passages found are about it, but none of them gives such an amount of money.",
        ValueKind.DISTANCE: "The passages found are about it, but none of them gives such a measure.",
        ValueKind.DURATION: "The passages found are about it, but none of them says how long.",
        ValueKind.AGE: "The passages found are about it, but none of them says how old.",
        ValueKind.NUMBER: "The passages found are about it, but none of them gives such a figure.",
        ValueKind.COUNT: "The passages found are about it, but none of them says how many.",
        ValueKind.DATE: "The passages found are about it, but none of them says when.",
        ValueKind.FULL_NAME: "The passages found are about it, but none of them gives such a person's name.",
        ValueKind.PERSON: "The passages found are about it, but none of them says who.",
    },
    "de": {
        ValueKind.PERCENTAGE: "Die gefundenen Stellen handeln davon, aber keine nennt einen Prozentsatz.",
        ValueKind.MONEY: "Die gefundenen Stellen handeln davon, aber keine nennt einen solchen Betrag.",
        ValueKind.DURATION: "Die gefundenen Stellen handeln davon, aber keine sagt, wie lange.",
        ValueKind.COUNT: "Die gefundenen Stellen handeln davon, aber keine sagt, wie viele.",
        ValueKind.DATE: "Die gefundenen Stellen handeln davon, aber keine sagt, wann.",
    },
    "fr": {
        ValueKind.PERCENTAGE: "Les passages trouvés en parlent, mais aucun ne donne de pourcentage.",
        ValueKind.MONEY: "Les passages trouvés en parlent, mais aucun ne donne un tel montant.",
        ValueKind.DURATION: "Les passages trouvés en parlent, mais aucun ne dit combien de temps.",
        ValueKind.COUNT: "Les passages trouvés en parlent, mais aucun ne dit combien.",
    },
    "es": {
        ValueKind.PERCENTAGE: "Los pasajes encontrados tratan de ello, pero ninguno da un porcentaje.",
        ValueKind.MONEY: "Los pasajes encontrados tratan de ello, pero ninguno da tal cantidad de dinero.",
        ValueKind.DURATION: "Los pasajes encontrados tratan de ello, pero ninguno dice cuánto tiempo.",
        ValueKind.COUNT: "Los pasajes encontrados tratan de ello, pero ninguno dice cuántos.",
    },
}


def texts_in(language: str) -> RefusalTexts:
    """Return the sentences of a language; the English ones for a language without."""
    return TEXTS.get(language, TEXTS["en"])
