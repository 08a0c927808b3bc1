"""The question within a message: what is searched for, and judged.

"Hi there, I hope you are well. Quick question: where do I find the fuse? Thanks in advance!" asks for a fuse.
Every word of a message pulls its vectors, so greetings, excuses and thanks would change what is found and
whether the documents answer. Sentences before a question that stands by itself are left out as well, but for
what they name: "My Bosch GX-200 is new. Where is the filter?" asks for the filter of the Bosch GX-200.
"""

import re

from ingestion.text.identifiers import identifiers
from ingestion.text.sentences import sentence_spans
from ingestion.text.stopwords import stopwords_of

_GREETINGS = (
    r"hi|hello|hey|hiya|greetings|dear|good\s+(?:morning|afternoon|evening|day)|hallo|guten\s+(?:tag|morgen|abend)|"
    r"moin|servus|grüezi|grüß\s+gott|sehr\s+geehrte[rs]?|liebe[rs]?|bonjour|bonsoir|salut|chère?s?|hola|"
    r"buen[oa]s(?:\s+(?:días|tardes|noches))?|estimad[oa]s?|ciao|buongiorno|buonasera|salve|gentil[ei]|olá|oi|"
    r"bom\s+dia|boa\s+(?:tarde|noite)|prezad[oa]s?|goede(?:morgen|middag|navond|ndag)|beste|hej|hei|cześć|"
    r"dzień\s+dobry|здравствуйте|привет|добрый\s+день"
)
_WISHES = (
    r"(?:i\s+|we\s+)?hope\b|how\s+are\s+you|nice\s+to\s+meet|ich\s+hoffe\b|wie\s+geht|j['’]espère|comment\s+allez|"
    r"espero\b|cómo\s+est[áa]|spero\b|come\s+sta|tudo\s+bem|ik\s+hoop\b"
)
_EXCUSES = (
    r"(?:i['’]?m\s+|i\s+am\s+)?(?:so\s+|very\s+)?sorry|(?:my\s+)?apologies|excuse\s+me|pardon|entschuldig\w*|"
    r"verzeih\w*|(?:es\s+)?tut\s+mir\s+leid|désolée?|excuse[zr]?(?:-moi)?|perd[óo]n\w*|disculp\w+|lo\s+siento|"
    r"(?:mi\s+)?scus\w+|desculp\w+|sorry\s+dat|przepraszam|извините"
)
_LEADS = (
    r"(?:(?:just|i\s+have|i['’]ve\s+got|ich\s+h[äa]tte?|ich\s+habe|j['’]ai|tengo|ho|tenho|ik\s+heb)\s+)?"
    r"(?:(?:a|one|another|my|eine?|meine|mal|une|ma|una|mi|uma|een|nur|noch)\s+)*"
    r"(?:(?:quick|short|small|simple|brief|silly|stupid|kurze|kleine|schnelle|petite|rapide|korte|simpele)\s+)?"
    r"(?:question|frage|pregunta|domanda|pergunta|vraag|вопрос)(?:\s+(?:rapide|rápida|veloce|is|lautet|est))?"
    r"(?:\s+(?:for|an|pour|para|per)\s+\w+)?"
)
_ASKING = (
    r"who|whom|whose|what|when|where|which|why|how|if|whether|wer|wen|wem|was|wann|wo|woher|wohin|welche[rsnm]?|warum|"
    r"wieso|wie|wieviel|ob|qui|que|quoi|quand|où|quel(?:le)?s?|pourquoi|comment|combien|si|quién(?:es)?|qué|cuándo|"
    r"dónde|cuál(?:es)?|por\s+qué|cómo|cuánt[oa]s?|chi|che|cosa|quando|dove|quale|quali|perché|come|quant[oiae]|se|"
    r"quem|o\s+que|onde|qual|quais|por\s+que|como|wie|wat|wanneer|waar|welke?|waarom|hoe|of"
)
_AUXILIARIES = (
    r"can|could|may|do|does|did|is|are|was|were|has|have|had|should|will|would|must|i|my|we|kann|können|darf|ist|sind|hat|"
    r"gibt|muss|puis|peut|peux|est|sont|y|a|puedo|puede|es|son|hay|tiene|posso|può|è|há|pode|kan|mag|is|zijn"
)
_PREPOSITIONS = r"in|at|on|for|from|by|to|with|of|bis|seit|für|von|ab|mit|à|de|en|a|con|da"
_BEGINS = rf"[¿¡]?(?:(?:{_PREPOSITIONS})\s+)?(?:{_ASKING}|{_AUXILIARIES})\b"
_WRAPPERS = (
    r"(?:(?:could|can|would|will)\s+you\s+(?:(?:please|kindly|perhaps|maybe|possibly)\s+)*"
    r"(?:tell|explain\s+to|let|remind|inform)\s+(?:me|us)(?:\s+know)?|"
    r"(?:please\s+)?(?:tell|let)\s+(?:me|us)(?:\s+know)?|do\s+you\s+(?:happen\s+to\s+)?know|"
    r"i\s*(?:['’]m|\s+am|\s+was|['’]ve\s+been|\s+have\s+been)\s+(?:just\s+)?wondering"
    r"(?:\s+(?:if|whether)\s+you\s+(?:could|can|would|might)\s+(?:please\s+)?(?:tell|explain\s+to)\s+(?:me|us))?|"
    r"i\s+wonder(?:ed)?|"
    r"i\s*(?:['’]d|\s+would)\s+(?:really\s+)?(?:like|love)\s+to\s+(?:know|ask|understand)|"
    r"i\s+(?:want(?:ed)?|need)\s+to\s+(?:know|ask|understand)|"
    r"(?:könnt?en|kannst|könntest)\s+(?:sie|du|ihr)\s+(?:mir|uns)\s+(?:bitte\s+|vielleicht\s+)*(?:sagen|erklären|mitteilen)|"
    r"(?:ich\s+)?(?:würde|möchte|wollte|wüsste)\s+(?:ich\s+)?(?:gerne?\s+|bitte\s+)*(?:wissen|fragen)?|wissen\s+sie|weißt\s+du|"
    r"(?:pourriez|pouvez)-vous\s+(?:s['’]il\s+vous\s+plaît\s+)?(?:me|nous)\s+dire|(?:peux|pourrais)-tu\s+me\s+dire|"
    r"(?:je\s+voudrais|j['’]aimerais|je\s+souhaite(?:rais)?)\s+(?:bien\s+)?savoir|savez-vous|"
    r"(?:me\s+)?(?:podr[íi]a[ns]?|puede[ns]?)\s+(?:usted\s+)?(?:por\s+favor\s+)?decir(?:me|nos)?|"
    r"(?:quisiera|me\s+gustaría|quiero)\s+saber|sabe[ns]?\s+(?:usted\s+)?|"
    r"(?:potrebbe|può|potresti)\s+(?:per\s+favore\s+)?dirmi|vorrei\s+sapere|"
    r"(?:poderia|pode)\s+(?:por\s+favor\s+)?(?:me\s+dizer|dizer-me)|gostaria\s+de\s+saber|"
    r"(?:kunt|kan|zou)\s+(?:u|je)\s+(?:mij|me)\s+(?:kunnen\s+)?(?:vertellen|zeggen)|ik\s+(?:wil|zou)\s+(?:graag\s+)?weten)"
)
_THANKS = (
    r"(?:many\s+|much\s+)?thank(?:s|ing)?\b|thx\b|cheers\b|(?:kind|best|warm)\s+(?:regards|wishes)|regards\b|sincerely\b|"
    r"yours\b|best,|(?:any|your)\s+(?:help|advice)\b|(?:i\s+)?(?:really\s+)?appreciate\b|looking\s+forward\b|"
    r"i\s+look\s+forward\b|please\s+(?:help|advise|reply|respond|answer)\b|have\s+a\s+(?:nice|good|great)\b|"
    r"(?:vielen\s+|herzlichen\s+|besten\s+)?dank(?:e\w*)?\b|mit\s+freundlichen|(?:viele|liebe|beste)\s+grüße|mfg\b|"
    r"(?:un\s+grand\s+)?merci\b|cordialement\b|bien\s+à\s+vous|bonne\s+journée|(?:muchas\s+|mil\s+)?gracias\b|"
    r"(?:un\s+)?(?:cordial\s+)?saludos?\b|(?:mille\s+|molte\s+|tante\s+)?grazie\b|cordiali\s+saluti|"
    r"(?:muito\s+)?obrigad[oa]\b|atenciosamente\b|(?:alvast\s+|hartelijk\s+)?(?:be)?dankt?\b|met\s+vriendelijke|"
    r"dziękuję\b|спасибо\b"
)
_PLEASE = r"please|bitte|s['’]il\s+vous\s+plaît|por\s+favor|per\s+favore|alstublieft"
_STOP = r"(?:\s*[,.!:;…–—-]+\s*|\s*\n\s*)"
_OPENERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # "Hi there," and "Dear support team," with a sign behind; "Hello" also without.
        rf"(?:{_GREETINGS})\b[^.,!:;?\n]{{0,40}}?{_STOP}",
        rf"(?:hi|hello|hey|hallo|bonjour|hola|ciao|olá)(?:\s+(?:there|all|everyone|team))?\s+(?={_BEGINS})",
        rf"(?:and\s+)?(?:{_WISHES})[^.!?\n]*(?:[.!?…]+\s*|\n\s*)",
        rf"(?:{_EXCUSES})\b[^.!?:;\n]{{0,80}}?(?:[,;]\s*(?:but|aber|mais|pero|ma|mas|maar)\b\s*|"
        rf"\s(?:but|aber|mais|pero|mas|maar)\s|[,.!:;–—-]+\s*|\n\s*)",
        rf"{_LEADS}{_STOP}",
        rf"(?:{_THANKS})[^.!?\n]{{0,60}}[.!]+\s*",
        rf"[¿¡]?\s*(?:(?:so|and|well|ok(?:ay)?|also|nun|alors|bueno|allora)\s*,?\s+)?{_WRAPPERS}"
        rf"(?:\s+(?:{_PLEASE}))?\s*[,:]?\s+(?=[¿¡]?(?:{_ASKING})\b)",
        rf"(?:{_PLEASE})\s*[,:]\s*",
    )
)
_CLOSING = re.compile(rf"(?:{_THANKS})[^?]{{0,120}}$", re.IGNORECASE)
_LAST_PLEASE = re.compile(
    rf",?\s+(?:{_PLEASE}|thanks|thank\s+you|danke|merci|gracias|grazie)\s*(?=[?.!]*\s*$)", re.I
)
_BEHIND_QUESTION = re.compile(rf"(?<=[?？])\s*(?:{_THANKS})[^?]*$", re.IGNORECASE)
_IS_QUESTION = re.compile(_BEGINS, re.IGNORECASE)
# What a question may say that stands for something in the sentences before it. Where in doubt, they stay.
_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|this|that|these|those|he|she|him|her|his|there|ones?|here|such|same|former|latter|"
    r"er|ihn|ihm|dies\w*|jene\w*|da(?:von|zu|mit|rauf|für|bei|rin)|dort|derselbe\w*|ça|cela|celui|celles?|ceux|elles?|"
    r"ils?|l[àe]-dedans|ell[oa]s?|es[oa]s?|est[aeo]s?|ahí|allí|ess[oae]|quest[oaei]|lo|isso|iss[oa]|este|ele|ela)\b",
    re.IGNORECASE,
)
_INTRODUCES = re.compile(
    r"\W*(?:i['’]?m|i\s+am|my\s+name|this\s+is|here\s+is|ich\s+bin|mein\s+name|je\s+suis|je\s+m['’]|soy|me\s+llamo|"
    r"sono|mi\s+chiamo|ik\s+ben)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<=[a-z,;:] )[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*|\b(?:19|20)\d\d\b")
# Words of content that a question needs to stand by itself.
_LEAST_CONTENT = 2


def core(message: str) -> str:
    """Return the question of a message, the message itself where nothing else is in it."""
    text = _without_closing(message.strip())
    while True:
        shorter = text
        for opener in _OPENERS:
            found = opener.match(shorter)
            if found:
                shorter = shorter[found.end() :]
        if shorter == text:
            break
        text = shorter
    text = _without_context(text)
    if not any(map(str.isalnum, text)):
        return message
    return text


def _without_closing(text: str) -> str:
    """Return a message without thanks, regards and the name below them."""
    spans = [(span.start, span.end) for span in sentence_spans(text)]
    for start, _ in spans[1:]:
        if _CLOSING.match(text, start):
            text = text[:start].rstrip()
            break
    return _LAST_PLEASE.sub("", _BEHIND_QUESTION.sub("", text))


def _without_context(text: str) -> str:
    """Return a message from its first question on, with what the sentences before name behind it."""
    sentences = [text[span.start : span.end] for span in sentence_spans(text)]
    place = next((place for place, one in enumerate(sentences) if one.endswith(("?", "？"))), 0)
    if not place:
        return text
    question = " ".join(sentences[place:])
    content = {word for word in re.findall(r"[^\W_]+", question.casefold()) if word not in stopwords_of("en")}
    if (
        not _IS_QUESTION.match(question)
        or _POINTS_BACK.search(sentences[place])
        or len(content) < _LEAST_CONTENT
    ):
        return text
    names: dict[str, None] = {}
    for sentence in sentences[:place]:
        names.update(dict.fromkeys(one.text for one in identifiers(sentence)))
        if not _INTRODUCES.match(sentence) and _is_english(sentence):
            names.update(dict.fromkeys(_NAME.findall(sentence)))
    longest = [name for name in names if not any(name in other and name != other for other in names)]
    lacking = [name for name in longest if name.casefold() not in question.casefold()]
    return f"{question} ({' '.join(lacking)})" if lacking else question


def _is_english(sentence: str) -> bool:
    """Whether names in a sentence can be told by their capitals: German writes all nouns with them."""
    said = set(re.findall(r"[^\W\d_]+", sentence.casefold()))
    return len(said & stopwords_of("en")) > len(said & stopwords_of("de"))
