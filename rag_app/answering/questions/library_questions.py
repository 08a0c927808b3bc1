"""Questions about the library itself, as patterns of whole questions.

The group `name` is a document's name in the question. A question with more words ("Which documents are in the
annex?") is for the documents, and matches no pattern.
"""

from collections.abc import Mapping, Sequence

from rag_app.answering.questions.english_library_questions import ENGLISH

# Language → kind → patterns. An apostrophe may be missing.
PATTERNS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "en": ENGLISH,
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
        "size": (r"wie (?:groß|gross|umfangreich) ist (?:die|diese|meine|deine) (?:bibliothek|sammlung)",),
        "pages": (
            r"wie ?viele seiten (?:gibt es|sind es|hast du|sind hier)(?: insgesamt| hier| zusammen)*",
            r"wie ?viele seiten (?:hat|haben) (?P<name>.+?)",
        ),
        "mentions": (
            r"(?:welche[sr]?|welche der) (?:dokumente?|dateien?|pdfs?) (?:erwähn(?:t|en)|nennt|nennen) "
            r"(?P<name>.+?)",
            r"(?:welche[sr]?) (?:dokumente?|dateien?|pdfs?) (?:handeln? von|spr(?:icht|echen) von|"
            r"spr(?:icht|echen) über|"
            r"handelt von) (?P<name>.+?)",
            r"in welche[nmr] (?:dokument(?:en)?|dateie?n?) (?:wird|werden|steht|kommt|ist) (?P<name>.+?) "
            r"(?:erwähnt|genannt|vor)",
            r"wo (?:wird|werden) (?P<name>.+?) erwähnt",
        ),
        "about": (
            r"(?:hast du|haben sie|gibt es|haben wir)(?: hier)? (?:etwas|was|irgendetwas|dokumente|"
            r"informationen) "
            r"(?:über|zu|zum|zur) (?P<name>.+?)",
        ),
        "exists": (
            r"(?:gibt es|hast du|haben sie) (?:ein|eine|das|die) (?:dokument|datei|pdf) (?:namens|mit dem "
            r"namen) "
            r"(?P<name>.+?)",
        ),
        "language": (r"in welcher sprache ist (?P<name>.+?)(?: geschrieben| verfasst)?",),
        "oldest": (r"(?:was|welches)(?: dokument)? ist das älteste(?: dokument)?",),
        "longest": (
            r"(?:was|welches)(?: dokument)? ist das (?:längste|größte|umfangreichste)(?: dokument)?",
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
        "size": (r"quelle est la taille de (?:la|cette|ma) (?:bibliothèque|collection)",),
        "pages": (
            r"(?:combien de pages y a-t-il|il y a combien de pages)(?: en tout| au total| ici)?",
            r"combien de pages (?:compte|a|contient|fait) (?P<name>.+?)",
        ),
        "mentions": (
            r"quels? (?:documents?|fichiers?) (?:mentionnent?|parlent? (?:de |d'|du |des )|évoquent?|"
            r"citent?) ?"
            r"(?P<name>.+?)",
            r"dans quels? (?:documents?|fichiers?) (?P<name>.+?) (?:est|sont)(?:-ils?|-elles?)? "
            r"mentionnée?s?",
        ),
        "about": (
            r"(?:as-tu|avez-vous|tu as|vous avez|y a-t-il|il y a) (?:quelque chose|des documents|des "
            r"informations) "
            r"sur (?P<name>.+?)",
        ),
        "exists": (
            r"(?:y a-t-il|as-tu|avez-vous) un (?:document|fichier) (?:appelé|nommé|intitulé) (?P<name>.+?)",
        ),
        "language": (r"(?:en|dans) quelle langue est (?:écrite? )?(?P<name>.+?)(?: écrite?)?",),
        "oldest": (r"quel est le (?:document le plus ancien|plus ancien document)",),
        "longest": (r"quel est le (?:document le plus long|plus long document)",),
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
        "size": (r"(?:qué tamaño tiene|cómo de grande es) (?:la|esta|mi|tu) (?:biblioteca|colección)",),
        "pages": (
            r"cuántas páginas (?:hay|tienes|son)(?: en total| aquí| en todos)*",
            r"cuántas páginas (?:tiene|tienen|contiene) (?P<name>.+?)",
        ),
        "mentions": (
            r"(?:qué|cuáles|cuál) (?:documentos?|archivos?|ficheros?) (?:mencionan?|hablan? de|tratan? de|"
            r"tratan? sobre|"
            r"hablan? sobre) (?P<name>.+?)",
            r"en qué (?:documentos?|archivos?) se (?:menciona|habla de) (?P<name>.+?)",
        ),
        "about": (
            r"(?:tienes|tiene|hay|tenemos) (?:algo|documentos|información|alguna información) (?:sobre|de|"
            r"acerca de) "
            r"(?P<name>.+?)",
        ),
        "exists": (r"(?:hay|tienes) (?:un|algún) (?:documento|archivo) (?:llamado|titulado) (?P<name>.+?)",),
        "language": (r"en qué (?:idioma|lengua) está(?: escrito)? (?P<name>.+?)",),
        "oldest": (r"cuál es el (?:documento más antiguo|primer documento(?: añadido)?)",),
        "longest": (r"cuál es el documento más largo",),
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
