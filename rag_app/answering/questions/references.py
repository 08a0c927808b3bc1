"""References to earlier questions, in languages other than English.

The rules take only sure cases: a question that counts as a follow-up gets more words to search for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

# The end of a sentence follows: "Warum ist das?", not "das Haus".
_END = r"(?=\s*[?.!,]|\s*$)"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one language, as patterns; `asks` is a list of words.

    Attributes:
        opens: The beginnings of follow-ups.
        asks: Words that ask and name nothing.
        pronouns: Pronouns that refer back.
        clauses: The ends of clauses, which may name what a pronoun stands for.
        subjectless: Whole questions without a subject.
    """

    opens: str
    asks: str
    pronouns: str
    clauses: str
    subjectless: str = ""


_ES_VERBS = (
    "cuesta|costó|mide|pesa|dura|duró|vale|funciona|significa|ocurrió|pasó|pertenece|está|queda|vive|vivió|"
    "nació|murió"
)
_IT_VERBS = (
    "costa|costò|misura|pesa|dura|durò|vale|funziona|significa|successe|appartiene|sta|si trova|vive|"
    "nacque|morì"
)
_PT_VERBS = (
    "custa|custou|mede|pesa|dura|durou|vale|funciona|significa|aconteceu|pertence|está|fica|vive|nasceu|"
    "morreu"
)
_PARTICIPLE = r"\w+[aei]?[dt][oa]s?"

RULES: Mapping[str, Rules] = {
    "de": Rules(
        r"und|aber|oder|also|was ist mit|wie (?:steht|sieht) es (?:mit|bei)|warum nicht|wieso nicht|mehr|"
        r"weiter|erzähl(?:e|en sie)? mir mehr|zum beispiel",
        "wer wen wem wessen was wann wo wohin woher warum wieso weshalb wie welche welcher welches wieviel "
        "viele seit",
        r"er|ihn|ihm|(?-i:sie)|(?-i:ihre?[mnrs]?)|(?-i:ihnen)|seine[mnrs]?|"
        r"(?<=\bist )es|(?<=\bwar )es|(?<=\bwurde )es|(?<=\bhat )es|(?<=\bwird )es|"
        r"(?<=\bkostet )es|(?<=\bkann )es|"
        rf"(?:das|dies|dort){_END}|davon|dazu|dafür|darüber|daran|darin|dadurch|daraus|derselbe|"
        rf"dieselbe|dasselbe",
        r",|;|\b(?:und|oder|aber|wenn|dass|weil|bevor|nachdem|ob|der|die|als)\b",
    ),
    "fr": Rules(
        r"et|mais|ou alors|qu'en est-il|pourquoi pas|plus|par exemple|dis-m'en plus|dites-m'en plus|alors",
        "qui que quoi quand où pourquoi comment combien quel quelle quels quelles depuis",
        r"(?<!y a-t-)(?:ils?|elles?)(?! (?:y a|faut|s'agit|est (?:possible|nécessaire|interdit|"
        r"obligatoire)))|"
        rf"celui-(?:ci|là)|celle-(?:ci|là)|cela|ça|lui{_END}|(?:son|sa|ses|leurs?)(?= \w)",
        r",|;|\b(?:et|ou|mais|si|quand|lorsque|parce|avant|après|que|qui|dont)\b",
    ),
    "es": Rules(
        r"y|e|pero|o|qué (?:pasa|hay) con|por qué no|más|cuéntame más|por ejemplo|entonces",
        "quién quiénes qué cuándo dónde por cómo cuánto cuántos cuánta cuántas cuál cuáles desde",
        rf"él|ella|ellos|ellas|(?:su|sus)(?= \w)|(?:eso|esto|aquello|allí|ahí){_END}|el mismo|la misma",
        r",|;|\b(?:y|o|pero|si|cuando|porque|antes|después|que|quien)\b",
        rf"(?:por qué|cuándo|dónde|cómo|cuánto|quién lo|quién la|qué) (?:(?:fue|era|es|ha sido|está) )?"
        rf"(?:{_PARTICIPLE}|{_ES_VERBS})",
    ),
    "it": Rules(
        r"e|ed|ma|o|che (?:dire|ne è) di|perché no|di più|dimmi di più|per esempio|allora",
        "chi che cosa quando dove perché come quanto quanti quanta quante quale quali da",
        rf"lui|essi?|essa|esse|(?:suo|sua|suoi|sue)|(?:ciò|questo|quello|lì|là){_END}|lo stesso|la stessa",
        r",|;|\b(?:e|o|ma|se|quando|perché|prima|dopo|che|cui)\b",
        rf"(?:perché|quando|dove|come|quanto|chi l[oa]|cosa) (?:(?:fu|era|è stat[oa]|è) )?"
        rf"(?:{_PARTICIPLE}|{_IT_VERBS})",
    ),
    "nl": Rules(
        r"en|maar|of|hoe zit het met|waarom niet|meer|vertel (?:me )?meer|bijvoorbeeld",
        "wie wat wanneer waar waarom hoe hoeveel welke welk sinds",
        rf"hij|hem|zij|ze|hun|(?:dat|dit|daar){_END}|ervan|erover|daarvan|daarover|"
        rf"het(?=\s*[?.!]|\s*$|\s+ge\w+(?:d|t|en)\s*[?.!]*$)|(?:zijn|haar)(?= \w+\s*[?.!]*$)",
        r",|;|\b(?:en|of|maar|als|toen|omdat|voordat|nadat|dat|die)\b",
    ),
    "pt": Rules(
        r"e|mas|ou|quanto a|por que não|mais|conte-me mais|por exemplo|então",
        "quem que quê quando onde por porque como quanto quantos quanta quantas qual quais desde",
        rf"eles?|elas?|(?:seu|sua|seus|suas)(?= \w)|(?:isso|isto|lá){_END}|o mesmo|a mesma",
        r",|;|\b(?:e|ou|mas|se|quando|porque|antes|depois|que|quem)\b",
        rf"(?:por que|quando|onde|como|quanto|quem [oa]|o que) (?:(?:foi|era|é|está) )?"
        rf"(?:{_PARTICIPLE}|{_PT_VERBS})",
    ),
    "da": Rules(
        r"og|men|eller|hvad med|hvorfor ikke|mere|fortæl (?:mig )?mere|for eksempel",
        "hvem hvad hvornår hvor hvorfor hvordan hvilken hvilket hvilke mange meget siden",
        rf"han|ham|hun|hende|hans|hendes|dens|dets|deres|(?:det|den)(?=\s*[?.!]|\s*$|\s+\w+(?:et|"
        rf"t)\s*[?.!]*$)|der{_END}",
        r",|;|\b(?:og|eller|men|hvis|når|da|fordi|før|efter|at|som|der)\b",
    ),
    "sv": Rules(
        r"och|men|eller|hur är det med|vad gäller|varför inte|mer|berätta mer|till exempel",
        "vem vad när var varför hur vilken vilket vilka många mycket sedan",
        rf"han|honom|hon|henne|hans|hennes|dess|deras|(?:det|den)(?=\s*[?.!]|\s*$|\s+\w+(?:at|ad|t|"
        rf"d)s?\s*[?.!]*$)|där{_END}",
        r",|;|\b(?:och|eller|men|om|när|då|eftersom|innan|efter|att|som)\b",
    ),
    "no": Rules(
        r"og|men|eller|hva med|hvorfor ikke|mer|fortell (?:meg )?mer|for eksempel",
        "hvem hva når hvor hvorfor hvordan hvilken hvilket hvilke mange mye siden",
        rf"han|ham|hun|henne|hans|hennes|dens|dets|deres|(?:det|den)(?=\s*[?.!]|\s*$|\s+\w+(?:et|"
        rf"t)\s*[?.!]*$)|der{_END}",
        r",|;|\b(?:og|eller|men|hvis|når|da|fordi|før|etter|at|som)\b",
    ),
    "ru": Rules(
        r"а|и|но|или|что насчёт|что насчет|почему нет|подробнее|ещё|еще|расскажи(?:те)? (?:подробнее|"
        r"больше)|например",
        "кто кого кому что чего когда где куда откуда почему зачем как сколько какой какая какое какие чей",
        rf"он|она|оно|они|его|её|ее|ему|ей|им|их|нём|нем|неё|нее|ней|них|ними|(?:это|там){_END}",
        r",|;|\b(?:и|или|но|если|когда|потому|что|который|которая|которые)\b",
    ),
    "tr": Rules(
        r"ve|ama|veya|peki|ya|neden olmasın|daha fazla|örneğin",
        "kim kimi kime ne nerede nereye neden niçin nasıl kaç hangi zaman kadar beri",
        rf"onu|onun|ona|onda|ondan|onlar|onları|onların|bunu|bunun|buna|bundan|orada|(?:o|"
        rf"bu)(?= ne\b| nerede\b|{_END[3:]}",
        r",|;|\b(?:ve|veya|ama|eğer|çünkü|önce|sonra|ki)\b",
    ),
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """The same, as patterns."""

    opens: re.Pattern[str]
    asks: frozenset[str]
    pronouns: re.Pattern[str]
    clauses: re.Pattern[str]
    subjectless: re.Pattern[str] | None


@cache
def rules(language: str) -> Compiled | None:
    """Return a language's rules; None for one that has none."""
    given = RULES.get(language)
    if given is None:
        return None
    return Compiled(
        _pattern(rf"[\s¿¡]*(?:{given.opens})(?=[\s,?!.]|$)"),
        frozenset(given.asks.split()),
        _pattern(
            rf"(?<![\w-])(?:{given.pronouns})(?!\w)|(?<=-)(?:ils?|elles?)(?!\w)"
            if language == "fr"
            else rf"(?<![\w-])(?:{given.pronouns})(?![\w-])"
        ),
        _pattern(given.clauses),
        _pattern(given.subjectless) if given.subjectless else None,
    )


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("'", "['’]"), re.IGNORECASE)
