"""Questions about the library itself in English: kind → patterns of whole questions."""

from collections.abc import Mapping, Sequence


def _opening(words: str) -> str:
    return rf"(?:(?:{words})[,.!]* )*"


_PLEASE = _opening(
    r"hi|hello|hey|hi there|hello there|ok|okay|so|please|now|and|can you|could you|would you|i want to|i "
    r"would like to|i'd like to"
)
_DOCUMENTS = r"(?:documents?|docs?|files?|pdfs?|pdf files?|text files?|uploads)"
# Also words for documents that count only with "do you have": a library has books of its own.
_ALSO = r"(?:documents?|docs?|files?|pdfs?|pdf files?|text files?|papers|reports|texts|books|sources)"
_ALL = (
    r"(?:(?:all|all of|the|my|your|our|these|of|available|uploaded|indexed|ingested|stored|loaded|names "
    r"of) )*"
)
_LIBRARY = (
    r"(?:here|(?:in|inside|within) (?:here|(?:the|this|my|your|our) (?:document )?(?:library|collection|"
    r"knowledge ?base|corpus|index|app|application)|your (?:database|memory|archive)))"
)
_STORED = r"(?:uploaded|added|indexed|ingested|imported|stored|loaded|available|present)"
_NOW = (
    r"(?:,? (?:now|right now|currently|here|so far|in total|in all|combined|altogether|at the moment|"
    r"please|at all|for me))*"
)
_HAVE = (
    r"(?:do you (?:currently |already |now )?(?:have|know|hold|contain|store)(?: access to)?|can you "
    r"(?:see|access|search|read|use)|have you got|do you have (?:in|on) (?:file|store)|(?:did|have|do) "
    r"(?:i|we) (?:already )?(?:upload(?:ed)?|add(?:ed)?|ingest(?:ed)?|have|import(?:ed)?|load(?:ed)?))"
)
_ARE = (
    rf"(?:is|are) (?:there|{_LIBRARY}|{_STORED})(?: {_LIBRARY})?|(?:has|have) been {_STORED}(?: {_LIBRARY})?|"
    rf"(?:is|are) currently (?:{_LIBRARY}|{_STORED})|does (?:the|this|my) (?:library|collection|knowledge "
    rf"?base) "
    r"(?:have|hold|contain)"
)

_ADDED = r"(?:added|uploaded|imported|ingested|indexed)"
_TO_LIBRARY = r"(?: (?:to|into|in) (?:the|this|my|your) (?:library|collection|knowledge ?base|app))?"

# A document in the question: its name decides whether one is meant.
_NAME = r"(?P<name>\S(?:.{0,90}?\S)?)"
_FORMALLY = r"(?:the |a |an |my |your |this |that )?(?:documents?|files?|pdfs?|papers?|reports?) "
_ANYWHERE = (
    rf"(?:,? (?:anywhere|somewhere|at all|in (?:any|one|some|all|which) (?:of (?:the|my|your|our|these) "
    rf")?{_ALSO}|"
    rf"in (?:the|my|your|our) {_ALSO}|{_LIBRARY}))*"
)
_WORD = r"(?:the (?:word|term|phrase|name|string|expression|abbreviation)s? |something (?:about|on) )?"
_TOPIC = rf"{_WORD}(?P<name>\S(?:.{{0,70}}?\S)?)"
_MENTIONS = (
    r"(?:mentions?|talks? about|speaks? (?:of|about)|refers? to|discuss(?:es)?|tells? (?:me )?about|"
    r"says? (?:anything|something) about|ha(?:s|ve) (?:anything|something) (?:about|on))"
)
_COVERS = (
    rf"(?:{_MENTIONS}|(?:is|are) (?:all )?(?:about|on)|deals? with|covers?|describes?|contains?|includes?|"
    r"explains?|mentioned|mention of)"
)

# An apostrophe may be missing.
ENGLISH: Mapping[str, Sequence[str]] = {
    "list": (
        rf"{_PLEASE}(?:what|which) {_ALSO} {_HAVE}(?: {_LIBRARY})?{_NOW}",
        rf"{_PLEASE}(?:what|which) {_DOCUMENTS} (?:{_ARE}){_NOW}",
        rf"{_PLEASE}what (?:are|is) {_ALL}{_DOCUMENTS}(?: (?:{_LIBRARY}|{_HAVE}))?{_NOW}",
        rf"{_PLEASE}(?:list|show|name|enumerate|display|print|tell|give)(?: me| us)? {_ALL}"
        rf"(?:a |the )?(?:full |complete )?(?:list of )?{_ALL}{_DOCUMENTS}(?: names?)?"
        rf"(?: (?:that )?(?:{_HAVE}|you have|i have|i uploaded|i added|there are|{_LIBRARY}))?{_NOW}",
        rf"{_PLEASE}(?:list|show)(?: me)? (?:the |your |my )?(?:library|collection|knowledge ?base)",
        r"what do you have access to",
        r"(?:do you have|are there) any (?:documents|files)(?: here| in (?:the|this|your) library)?",
    ),
    "count": (
        rf"{_PLEASE}how many {_ALSO} {_HAVE}(?: {_LIBRARY})?{_NOW}",
        rf"{_PLEASE}how many {_DOCUMENTS} (?:{_ARE}){_NOW}",
        rf"{_PLEASE}(?:what is|what's|tell me) the (?:total )?number of {_DOCUMENTS}(?: "
        rf"{_LIBRARY})?{_NOW}",
        rf"{_PLEASE}(?:count|number of) {_ALL}{_DOCUMENTS}(?: {_LIBRARY})?",
    ),
    "size": (
        rf"{_PLEASE}how (?:large|big) is (?:the|this|my|your|our) (?:document )?"
        rf"(?:library|collection|knowledge ?base|corpus){_NOW}",
        rf"{_PLEASE}what is the size of (?:the|this|my|your|our) (?:document )?(?:library|collection)",
        rf"{_PLEASE}how much (?:text|data|material|content) (?:is (?:there|{_LIBRARY})|{_HAVE})"
        rf"(?: {_LIBRARY})?{_NOW}",
        rf"{_PLEASE}how many (?:passages|chunks|words) (?:are (?:there|{_LIBRARY})|{_HAVE})(?: "
        rf"{_LIBRARY})?{_NOW}",
    ),
    "pages": (
        rf"{_PLEASE}how many pages (?:{_ARE}|{_HAVE}|(?:do|are in) (?:all|the|my|these|all the) {_DOCUMENTS}"
        rf"(?: have)?)(?: {_LIBRARY})?{_NOW}",
        rf"{_PLEASE}(?:what is|what's) the (?:total )?number of pages(?: {_LIBRARY})?{_NOW}",
        rf"{_PLEASE}how many pages (?:does|do|has) (?:{_FORMALLY})?{_NAME} have{_NOW}",
        rf"{_PLEASE}how many pages (?:are there in|are in|is|long is|has|in) {_NAME}{_NOW}",
        rf"{_PLEASE}how many pages (?:long )?is {_NAME}",
        rf"{_PLEASE}how long is {_NAME}",
        rf"{_PLEASE}(?:what is|what's) the (?:number of pages|page count|length) (?:of|in) {_NAME}",
    ),
    "mentions": (
        rf"{_PLEASE}(?:in )?(?:what|which)(?: of (?:the|my|your|our|these))? {_DOCUMENTS} (?:do |does )?"
        rf"{_MENTIONS} {_TOPIC}",
        rf"{_PLEASE}(?:what|which)(?: of (?:the|my|your|our|these))? (?:papers?|reports?|texts?|sources?) "
        rf"(?:mentions?|talks? about|refers? to|(?:is|are) about) {_TOPIC}",
        rf"{_PLEASE}(?:what|which)(?: of (?:the|my|your|our|these))? (?:documents?|docs?|pdfs?) {_COVERS} "
        rf"{_TOPIC}",
        rf"{_PLEASE}(?:what|which) (?:documents?|docs?|files?|pdfs?) (?:contains?|includes?|uses?) the "
        r"(?:word|term|phrase|name|string)s? (?P<name>\S(?:.{0,70}?\S)?)",
        rf"{_PLEASE}in (?:what|which) {_DOCUMENTS} (?:is|are) {_TOPIC} (?:mentioned|discussed|described|"
        rf"covered)",
        rf"{_PLEASE}where (?:is|are) {_TOPIC} mentioned{_ANYWHERE}",
        rf"{_PLEASE}(?:is|are) {_TOPIC} mentioned{_ANYWHERE}",
        rf"{_PLEASE}(?:do|does|is there) (?:any|one|some)(?: of (?:the|my|your|our|these))? {_DOCUMENTS} "
        rf"(?:that |which )?{_COVERS} {_TOPIC}",
        rf"{_PLEASE}(?:list|show|find|give)(?: me)? {_ALL}{_DOCUMENTS} (?:that |which )?(?:{_COVERS}|about|"
        rf"on|"
        rf"mentioning) {_TOPIC}",
        rf"{_PLEASE}how many {_DOCUMENTS} (?:mention|talk about|refer to|are about) {_TOPIC}",
    ),
    "about": (
        rf"{_PLEASE}(?:do you have|have you got|do we have|do i have|have we got|is there|are there|you "
        rf"have) "
        rf"(?:anything|something|some|any)?(?: ?(?:information|material|documents?|files?|papers?|texts?|"
        rf"notes|"
        rf"pdfs?))?(?: {_LIBRARY})? ?(?:about|on|regarding|concerning) {_TOPIC}",
        rf"{_PLEASE}what (?:do you (?:have|know)|have you got|do we have|is there)(?: {_LIBRARY})? "
        rf"(?:about|on|regarding) {_TOPIC}",
        rf"{_PLEASE}(?:what|which) {_ALSO} (?:do you have|have you got|do we have|do i have|are there) "
        rf"(?:about|on|regarding) {_TOPIC}",
        rf"{_PLEASE}do you know (?:anything|something) about {_TOPIC}",
        rf"(?:anything|something) (?:about|on) {_TOPIC}",
    ),
    "exists": (
        rf"{_PLEASE}(?:is|was) there (?:a|an|any) (?:document|file|pdf|paper|report)s? (?:that is )?"
        rf"(?:called|named|titled|with the (?:name|title)) {_NAME}(?: {_LIBRARY})?",
        rf"{_PLEASE}(?:do you have|have you got|do i have|do we have|is there) (?:a |an |the |any )?"
        rf"(?:document|file|pdf|paper|report)s? (?:called|named|titled) {_NAME}",
        rf"{_PLEASE}(?:do you have|have you got|do i have|do we have) (?:the (?:document|file|pdf) )?{_NAME}"
        rf"(?: {_LIBRARY})?",
        rf"{_PLEASE}is (?:the (?:document|file|pdf) )?{_NAME} (?:{_LIBRARY}|{_STORED}(?: {_LIBRARY})?)",
    ),
    "language": (
        rf"{_PLEASE}(?:in )?(?:what|which) language (?:is|was) {_NAME}(?: written)?(?: in)?",
        rf"{_PLEASE}(?:what is|what's) the language of {_NAME}",
    ),
    "oldest": (
        rf"{_PLEASE}(?:what|which)(?: is|'s| one is| are) (?:the|my|your) (?:oldest|first(?: added| "
        rf"uploaded)?) "
        rf"{_DOCUMENTS}(?: {_LIBRARY})?",
        rf"{_PLEASE}(?:what|which) {_DOCUMENTS} (?:was|is) (?:the )?(?:oldest|{_ADDED} first|first {_ADDED})"
        rf"(?: {_LIBRARY})?",
    ),
    "longest": (
        rf"{_PLEASE}(?:what|which)(?: is|'s| one is| are) (?:the|my|your) (?:longest|largest|biggest) "
        rf"{_DOCUMENTS}"
        rf"(?: {_LIBRARY})?",
        rf"{_PLEASE}(?:what|which) {_DOCUMENTS} (?:is the longest|is the largest|is the biggest|has the "
        rf"most pages)"
        rf"(?: {_LIBRARY})?",
    ),
    "newest": (
        rf"{_PLEASE}(?:what|which)(?: is|'s| one is| are) (?:the|my|your) "
        rf"(?:newest|latest|most recent|most recently added|last(?: added| uploaded)?) {_DOCUMENTS}"
        rf"(?: {_LIBRARY})?",
        rf"{_PLEASE}(?:what|which) {_DOCUMENTS} (?:was|is) (?:the )?(?:{_ADDED} )?"
        rf"(?:last|newest|latest|most recent(?:ly)?(?: {_ADDED})?)(?: {_LIBRARY})?",
        rf"{_PLEASE}(?:what|which {_DOCUMENTS}) did i (?:add|upload|import) (?:last|most recently)",
    ),
    "added": (
        rf"{_PLEASE}when was (?P<name>.+?) {_ADDED}{_TO_LIBRARY}",
        rf"{_PLEASE}when did (?:i|we|you) (?:add|upload|import|ingest|index) (?P<name>.+?){_TO_LIBRARY}",
    ),
}
