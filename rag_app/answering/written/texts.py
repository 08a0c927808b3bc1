"""What is said above the quotations that replace a useless answer, in the languages of the refusals."""

NOT_RELIABLE = {
    "en": "This model could not answer reliably; here is what the documents say.",
    "de": "Dieses Modell konnte nicht zuverlässig antworten; das steht in den Dokumenten.",
    "fr": "Ce modèle n'a pas pu répondre de façon fiable ; voici ce que disent les documents.",
    "es": "Este modelo no ha podido responder de forma fiable; esto es lo que dicen los documentos.",
    "it": "Questo modello non ha potuto rispondere in modo affidabile; ecco che cosa dicono i documenti.",
    "nl": "Dit model kon niet betrouwbaar antwoorden; dit staat in de documenten.",
    "pt": "Este modelo não conseguiu responder de forma fiável; eis o que dizem os documentos.",
    "da": "Denne model kunne ikke svare pålideligt; her er, hvad dokumenterne siger.",
    "sv": "Den här modellen kunde inte svara tillförlitligt; så här står det i dokumenten.",
    "no": "Denne modellen kunne ikke svare pålitelig; her er hva dokumentene sier.",
    "ru": "Эта модель не смогла ответить надёжно; вот что говорится в документах.",
    "tr": "Bu model güvenilir bir yanıt veremedi; belgeler şunu söylüyor.",
}


def not_reliable(language: str) -> str:
    """Return the sentence in a language; the English one for a language without."""
    return NOT_RELIABLE.get(language, NOT_RELIABLE["en"])
