"""Questions about the library itself, as patterns of whole questions.

The group `name` is a document's name in the question. A question with more words ("Which documents are in the
annex?") is for the documents, and matches no pattern.
"""

from collections.abc import Mapping, Sequence


def _opening(words: str) -> str:
    return rf"(?:(?:{words}),? )*"


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
_STORED = r"(?:uploaded|added|indexed|ingested|imported|stored|loaded|available|present|known)"
_NOW = (
    r"(?:,? (?:now|right now|currently|here|so far|in total|altogether|at the moment|please|at all|for me))*"
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

# Language → kind → patterns. An apostrophe may be missing.
PATTERNS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "en": {
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
            rf"{_PLEASE}how (?:large|big) is (?:the|this|my|your) (?:document )?(?:library|collection)",
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
    },
    "de": {
        "list": (
            r"(?:welche|was für) (?:dokumente|dateien|pdfs|unterlagen|texte)(?: alle)? (?:hast du|haben "
            r"sie|habe ich|kennst du|kennen sie|gibt es|liegen vor|sind vorhanden|sind (?:hier|hochgeladen|"
            r"gespeichert|(?:in (?:der|dieser|meiner)|im) (?:bibliothek|sammlung|wissensbasis))|habe ich "
            r"hochgeladen|hast du gespeichert)(?: hier| alle| gespeichert| hochgeladen| in (?:der|dieser|"
            r"meiner) (?:bibliothek|sammlung))*",
            r"(?:liste|zeige?|nenne?|gib)(?: mir)?(?: bitte)? (?:alle|die|meine|deine|eine liste aller)(?: "
            r"(?:deine|meine|verfügbaren|gespeicherten))* (?:dokumente|dateien)(?: auf| an)?(?: bitte)?",
        ),
        "count": (
            r"wie ?viele (?:dokumente|dateien|pdfs) (?:hast du|haben sie|habe ich|gibt es|kennst du|sind "
            r"(?:hier|da|es|vorhanden|gespeichert|hochgeladen|in (?:der|dieser|meiner) (?:bibliothek|"
            r"sammlung))|habe ich hochgeladen|liegen vor)(?: hier| insgesamt| in (?:der|dieser|meiner) "
            r"(?:bibliothek|sammlung)| gespeichert| hochgeladen)*",
        ),
        "newest": (
            r"(?:was|welches)(?: dokument)? ist das (?:neueste|neuste|zuletzt hinzugefügte)(?: dokument)?",
            r"welche(?:s|r)? (?:dokument|datei) wurde zuletzt (?:hinzugefügt|hochgeladen)",
        ),
        "added": (
            r"wann wurden? (?P<name>.+?) (?:hinzugefügt|hochgeladen|importiert)",
            r"wann habe ich (?P<name>.+?) (?:hinzugefügt|hochgeladen|importiert)",
        ),
    },
    "fr": {
        "list": (
            r"(?:quels|quelles sont les?|quels sont(?: les| tes| vos)?) (?:documents|fichiers|pdf) "
            r"?(?:as-tu|avez-vous|ai-je|y a-t-il|sont disponibles|disponibles|connais-tu|tu as|vous avez|"
            r"(?:sont |)dans (?:la|cette|ma) (?:bibliothèque|collection))?",
            r"(?:tu as|vous avez|il y a) quels (?:documents|fichiers)",
            r"(?:liste[rz]?|montre[zr]?|affiche[zr]?|donne[zr]?|énumère)(?:[- ]moi)? (?:la liste de "
            r")?(?:tous )?(?:les|tes|vos|mes) (?:documents|fichiers)(?: disponibles)?",
        ),
        "count": (
            r"combien (?:de|y a-t-il de|as-tu de|avez-vous de) (?:documents|fichiers|pdf) ?(?:y a-t-il|"
            r"as-tu|avez-vous|ai-je|il y a|tu as|sont disponibles)?(?: en tout| au total| ici| dans (?:la|"
            r"cette|ma) (?:bibliothèque|collection))?",
            r"il y a combien de (?:documents|fichiers)",
        ),
        "newest": (r"quel est le (?:document le plus récent|dernier document(?: ajouté)?)",),
        "added": (r"quand (?P<name>.+?) a(?:-t-il|-t-elle)? été (?:ajoutée?|importée?|téléversée?)",),
    },
    "es": {
        "list": (
            r"(?:qué|cuáles) (?:documentos|archivos|ficheros|pdf) (?:tienes|tiene|tengo|hay|conoces|están "
            r"disponibles|hay disponibles)(?: aquí| en (?:la|esta|mi) (?:biblioteca|colección))?",
            r"cuáles son (?:los|tus|mis) (?:documentos|archivos)(?: disponibles)?",
            r"(?:lista|muestra|enumera|muéstrame|dame|listar)(?: una lista de| la lista de)?(?: todos)? "
            r"(?:los|tus|mis) (?:documentos|archivos)(?: disponibles)?",
        ),
        "count": (
            r"cuántos (?:documentos|archivos|ficheros|pdf) (?:tienes|tiene|tengo|hay)(?: en total| aquí| "
            r"en (?:la|esta|mi) (?:biblioteca|colección))?",
        ),
        "newest": (r"cuál es el (?:documento más reciente|último documento(?: añadido)?)",),
        "added": (r"cuándo se (?:añadió|agregó|subió|importó) (?P<name>.+)",),
    },
    "it": {
        "list": (
            r"(?:quali|che) (?:documenti|file|pdf) (?:hai|ha|ho|ci sono|conosci|sono disponibili)(?: qui| "
            r"(?:nella|in questa) (?:biblioteca|libreria|raccolta))?",
            r"(?:elenca|mostra|elencami|mostrami|dammi)(?: l'elenco di)?(?: tutti)? (?:i|i tuoi|i miei) "
            r"(?:documenti|file)(?: disponibili)?",
        ),
        "count": (r"quanti (?:documenti|file|pdf) (?:hai|ha|ho|ci sono)(?: in tutto| qui)?",),
        "newest": (r"qual è (?:il documento più recente|l'ultimo documento(?: aggiunto)?)",),
        "added": (r"quando è stat[oa] (?:aggiunt[oa]|caricat[oa]) (?P<name>.+)",),
    },
    "nl": {
        "list": (
            r"(?:welke|wat voor) (?:documenten|bestanden|pdf's) (?:heb je|hebt u|heeft u|heb ik|zijn er|"
            r"ken je|zijn beschikbaar)(?: hier| in (?:de|deze|mijn) (?:bibliotheek|verzameling))?",
            r"(?:toon|geef|noem|laat)(?: me| mij)? (?:alle|een lijst van alle|de) (?:documenten|"
            r"bestanden)(?: zien)?",
        ),
        "count": (
            r"hoeveel (?:documenten|bestanden|pdf's) (?:heb je|hebt u|heb ik|zijn er)(?: in totaal| hier)?",
        ),
        "newest": (r"wat is het (?:nieuwste|laatste) document",),
        "added": (r"wanneer (?:is|werd) (?P<name>.+?) (?:toegevoegd|geüpload)",),
    },
    "pt": {
        "list": (
            r"(?:que|quais) (?:documentos|arquivos|ficheiros) (?:você tem|tens|tem|tenho|há|existem|estão "
            r"disponíveis)(?: aqui| na biblioteca| nesta biblioteca)?",
            r"(?:liste|lista|mostre|mostra)(?:-me)?(?: todos)? os (?:meus |seus )?(?:documentos|arquivos|"
            r"ficheiros)",
        ),
        "count": (
            r"quantos (?:documentos|arquivos|ficheiros) (?:você tem|tens|tem|tenho|há|existem)(?: no total|"
            r" aqui| ao todo)?",
        ),
        "newest": (r"qual é o (?:documento mais recente|último documento)",),
        "added": (r"quando foi (?:adicionad[oa]|carregad[oa]) (?P<name>.+)",),
    },
    "da": {
        "list": (
            r"hvilke (?:dokumenter|filer) (?:har du|har jeg|er der|findes der)(?: her| i biblioteket)?",
            r"vis(?: mig)? alle (?:dokumenter|filer)",
        ),
        "count": (r"hvor mange (?:dokumenter|filer) (?:har du|har jeg|er der|findes der)(?: her| i alt)?",),
    },
    "sv": {
        "list": (
            r"vilka (?:dokument|filer) (?:har du|har jag|finns|finns det)(?: här| i biblioteket)?",
            r"(?:visa|lista)(?: mig)? alla (?:dokument|filer)",
        ),
        "count": (r"hur många (?:dokument|filer) (?:har du|har jag|finns|finns det)(?: här| totalt)?",),
    },
    "no": {
        "list": (
            r"hvilke (?:dokumenter|filer) (?:har du|har jeg|finnes|er det|fins)(?: her| i biblioteket)?",
            r"vis(?: meg)? alle (?:dokumenter|dokumentene|filer|filene)",
        ),
        "count": (r"hvor mange (?:dokumenter|filer) (?:har du|har jeg|finnes|er det|fins)(?: her| totalt)?",),
    },
    "ru": {
        "list": (
            r"какие (?:у тебя |у вас |у меня |здесь )?(?:есть )?(?:документы|файлы)(?: есть| у тебя есть| "
            r"у вас есть| здесь)?(?: в библиотеке)?",
            r"(?:покажи|перечисли|назови)(?: мне)?(?: все)? (?:документы|файлы)",
        ),
        "count": (
            r"сколько (?:у тебя |у вас |у меня |здесь |всего )?(?:документов|файлов)(?: есть| здесь| в "
            r"библиотеке| у тебя| всего)?",
        ),
    },
    "tr": {
        "list": (
            r"(?:hangi|ne) (?:belgeler|dosyalar|belgelerin|dosyaların) var",
            r"(?:tüm|bütün) (?:belgeleri|dosyaları) (?:listele|göster)",
        ),
        "count": (r"kaç (?:belge|dosya|belgen|dosyan) var", r"kaç tane (?:belge|dosya|belgen) var"),
    },
}
