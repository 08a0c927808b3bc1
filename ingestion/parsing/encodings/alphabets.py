"""How rare a character is in a language: the non-ASCII letters of each language, most frequent first.

Costs are natural logarithms of rarity, rounded by hand: ordinary characters cost 2 to 5, characters that a
language does not use 7 to 14. The sums only order decodings of the same bytes.
"""

import unicodedata
from functools import cache

# Languages in Latin letters, by ISO 639-1.
LATIN = {
    "az": "əıüşğçöİ", "ca": "àéèíóòçïúü", "cs": "íáěéřčžýšůúťďňó", "cy": "ŵâŷêôîû", "da": "åøæéö",
    "de": "äüöß", "en": "éèñöüçïê", "eo": "ĉĝĥĵŝŭ", "es": "óíáéñúü", "et": "äõüöšž", "fi": "äöåšž",
    "fr": "éàèêçùîôûâïëœæÿ", "ga": "áéíóú", "hr": "čšžćđ", "hu": "áéöóőüíúű", "is": "áðíéþöúóýæ",
    "it": "àèùòìéóî", "lt": "ėšąįųžūčę", "lv": "āīēšūņļķģčž", "mt": "ħġżċàèìòù", "nb": "åøæéòôèê",
    "nl": "ëéïóèüöêá", "pl": "ąęłóżśćńź", "pt": "ãçéáíóêõúâôà", "ro": "ăîâşţșț", "sk": "áíčéýžšúľťôňäďóĺŕ",
    "sl": "čšž", "sq": "ëç", "sv": "äåöéà", "tr": "ıüşğçöİîâû",
    "vi": "đêôăươâáàảãạéèóòúùíìý\u0301\u0300\u0323\u0309\u0303",
}  # fmt: skip

# Languages in other scripts; lower case where the script has capitals.
OTHERS = {
    "ar": "اليمنوترسبدعفقحكهجطخشصضذثزغظأةإءىئآؤًٌٍَُِّْ،؟؛",
    "be": "аіноерстклвпдумзяыьбгчцўйхжшюэфё",
    "bg": "аоиентрсвлкдпмзяугбъчжцхщюшйьф",
    "el": "αοιετσνηυρπκμλςωόίάδγέήχθύφβξώζψϊϋΐΰ",
    "fa": "اینردتمهوسبشکزگلخقفعپدجحآچصطذضغظژثئ،؟؛",
    "he": "יוהלאמרבתשנכדקםחעפטזצגןסךףץ\u05b0\u05b4\u05b5\u05b6\u05b7\u05b8\u05b9\u05bc־״׳",
    "mk": "аоиетнрсвдкплмузјгбчцшжфќхѓњџљѕ",
    "ru": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
    "sr": "аоиенрстјувкдпмзлгбчшцжњхћђљфџ",
    "th": "านรอกเงมยลวดทสตะปบคหแจพชขใไโผถซศณธฟญษภฎฏฐฉฆฮฬฌฒ\u0e31\u0e34\u0e35\u0e36\u0e37\u0e38\u0e39\u0e47"
    "\u0e48\u0e49\u0e4a\u0e4b\u0e4c\u0e33ๆฯ",
    "uk": "оаиніртевсклдпумзяьбгчйхїжцюєшщфґ",
}

CJK = ("zh", "zh-Hant", "ja", "ko")

_FIRST, _LAST = 2.0, 4.0  # the commonest and the rarest letter of a Latin alphabet
_WHOLE_FIRST, _WHOLE_LAST = 2.2, 6.6  # of an alphabet in which every letter is beyond ASCII
FOREIGN = 7.0  # a letter of the same script that the language does not use
OTHER_SCRIPT = 9.0
COMMON, USUAL, RARE = 4.5, 7.2, 12.0  # Chinese characters and Korean syllables
_HIRAGANA, _KATAKANA, _NARROW_KATAKANA, _WIDE_ASCII = 3.5, 4.5, 7.0, 6.0


@cache
def letters(language: str) -> dict[str, float]:
    """The cost of each letter of an alphabet."""
    if (latin := LATIN.get(language)) is not None:
        order, first, last, bend = latin, _FIRST, _LAST, 1.0
    else:
        order, first, last, bend = OTHERS[language], _WHOLE_FIRST, _WHOLE_LAST, 1.3
    return {
        letter: first + (last - first) * (number / len(order)) ** bend for number, letter in enumerate(order)
    }


def letter_cost(character: str, language: str) -> float:
    """The cost of a non-ASCII letter or mark in a language."""
    if language in CJK:
        return _cjk_cost(character, language)
    known = letters(language)
    lower = character.lower()
    cost = known.get(lower, known.get(character))
    if cost is not None:
        return cost
    same = script(character) == ("LATIN" if language in LATIN else script(next(iter(known))))
    return FOREIGN if same else OTHER_SCRIPT


@cache
def script(character: str) -> str:
    """The script of a letter, by the first word of its name; Japanese and Chinese ones are "CJK"."""
    name = unicodedata.name(character, "").partition(" ")[0]
    return "CJK" if name in ("HIRAGANA", "KATAKANA", "HALFWIDTH", "FULLWIDTH", "IDEOGRAPHIC") else name


@cache
def _frequent(language: str) -> frozenset[str]:
    from charset_normalizer.constant import FREQUENCIES  # the 100 or so commonest characters of each

    return frozenset("".join("".join(FREQUENCIES[name]) for name in FREQUENCIES if name.startswith(language)))


@cache
def _level(encoding: str, first: int, last: int) -> frozenset[str]:
    """The characters of a national standard's first plane, which has those in common use."""
    found = (
        bytes((lead, trail)).decode(encoding, "ignore")
        for lead in range(first, last + 1)
        for trail in range(0x40, 0xFF)
    )
    return frozenset(text for text in found if len(text) == 1)


def _cjk_cost(character: str, language: str) -> float:
    code = ord(character)
    if language == "ja":
        if 0x3041 <= code <= 0x309F:
            return _HIRAGANA
        if 0x30A0 <= code <= 0x30FF:
            return _KATAKANA
        if 0xFF61 <= code <= 0xFF9F:
            return _NARROW_KATAKANA
    if mark := _mark(character):
        return mark
    name, encoding, first, last = _CJK_STANDARDS[language]
    if character in _frequent(name):
        return COMMON
    return USUAL if character in _level(encoding, first, last) else RARE


def _mark(character: str) -> float:
    """The cost of a letter that is foreign to Chinese text; 0.0 for Chinese characters and syllables."""
    code = ord(character)
    if 0xFF01 <= code <= 0xFF5E:  # full-width ASCII
        return _WIDE_ASCII
    if 0x3400 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7A3 or 0xF900 <= code <= 0xFAFF or code > 0x1FFFF:
        return 0.0
    return OTHER_SCRIPT


# By language, its name in charset-normalizer, and the lead bytes of its standard's first plane.
_CJK_STANDARDS: dict[str, tuple[str, str, int, int]] = {
    "zh": ("Chinese", "gb2312", 0xB0, 0xD7),
    "zh-Hant": ("Chinese", "big5", 0xA4, 0xC6),
    "ja": ("Japanese", "euc_jp", 0xB0, 0xCF),
    "ko": ("Korean", "euc_kr", 0xB0, 0xC8),
}
