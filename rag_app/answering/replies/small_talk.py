"""Replies to small talk, in the languages of `questions.phrases`."""

from collections.abc import Mapping

# Language → kind of small talk → reply.
SMALL_TALK: Mapping[str, Mapping[str, str]] = {
    "en": {
        "thanks": "You're welcome. Ask me anything else about your documents.",
        "ok": "All right. Ask me anything else about your documents.",
        "wellbeing": "I'm well, thank you, and ready to read. What would you like to know from your "
        "documents?",
        "test": "I'm here and working. Ask me something about your documents.",
        "sorry": "No problem at all. What would you like to know?",
        "praise": "Thank you, I'm glad that helped. Ask me anything else about your documents.",
        "maker": "I'm rag-app, an open program that runs on your own computer and answers from your "
        "documents. `rag-app --version` says which release this is.",
        "greeting": "Hello! What would you like to know from your documents?",
        "goodbye": "Goodbye! Your documents stay here for when you come back.",
        "who": "I am the assistant of your document library. I answer questions from your documents and "
        "say where each sentence comes from.",
        "abilities": "I answer questions from your documents, with quotations and their pages. You can "
        "also ask me to summarise a document, to list the documents that are here, or to go on with what "
        "you asked before.",
    },
    "de": {
        "thanks": "Gern geschehen. Fragen Sie mich gern noch etwas zu Ihren Dokumenten.",
        "ok": "In Ordnung. Fragen Sie mich gern noch etwas zu Ihren Dokumenten.",
        "wellbeing": "Danke, gut. Was möchten Sie aus Ihren Dokumenten wissen?",
        "test": "Ich bin da. Fragen Sie mich etwas zu Ihren Dokumenten.",
        "sorry": "Kein Problem. Was möchten Sie wissen?",
        "praise": "Danke, das freut mich. Fragen Sie mich gern noch etwas zu Ihren Dokumenten.",
        "maker": "Ich bin rag-app, ein Programm, das auf Ihrem eigenen Rechner läuft und aus Ihren "
        "Dokumenten antwortet.",
        "greeting": "Hallo! Was möchten Sie aus Ihren Dokumenten wissen?",
        "goodbye": "Auf Wiedersehen! Ihre Dokumente bleiben hier.",
        "who": "Ich bin der Assistent Ihrer Dokumentensammlung. Ich beantworte Fragen aus Ihren Dokumenten "
        "und sage, woher jeder Satz kommt.",
        "abilities": "Ich beantworte Fragen aus Ihren Dokumenten, mit Zitaten und Seitenzahlen. Ich fasse "
        "auch ein Dokument zusammen und nenne die Dokumente, die hier liegen.",
    },
    "fr": {
        "thanks": "Je vous en prie. Posez-moi une autre question sur vos documents.",
        "ok": "Très bien. Posez-moi une autre question sur vos documents.",
        "wellbeing": "Très bien, merci. Que voulez-vous savoir de vos documents ?",
        "test": "Je suis là. Posez-moi une question sur vos documents.",
        "sorry": "Il n'y a pas de mal. Que voulez-vous savoir ?",
        "praise": "Merci, j'en suis ravi. Posez-moi une autre question sur vos documents.",
        "maker": "Je suis rag-app, un programme qui fonctionne sur votre ordinateur et répond à partir de "
        "vos documents.",
        "greeting": "Bonjour ! Que voulez-vous savoir de vos documents ?",
        "goodbye": "Au revoir ! Vos documents restent ici.",
        "who": "Je suis l'assistant de votre bibliothèque de documents. Je réponds à partir de vos "
        "documents et j'indique d'où vient chaque phrase.",
        "abilities": "Je réponds aux questions à partir de vos documents, avec citations et pages. Je peux "
        "aussi résumer un document et donner la liste des documents.",
    },
    "es": {
        "thanks": "De nada. Pregúntame lo que quieras sobre tus documentos.",
        "ok": "De acuerdo. Pregúntame lo que quieras sobre tus documentos.",
        "wellbeing": "Muy bien, gracias. ¿Qué quieres saber de tus documentos?",
        "test": "Aquí estoy. Pregúntame algo sobre tus documentos.",
        "sorry": "No pasa nada. ¿Qué quieres saber?",
        "praise": "Gracias, me alegro. Pregúntame lo que quieras sobre tus documentos.",
        "maker": "Soy rag-app, un programa que funciona en tu propio ordenador y responde a partir de tus "
        "documentos.",
        "greeting": "¡Hola! ¿Qué quieres saber de tus documentos?",
        "goodbye": "¡Hasta luego! Tus documentos se quedan aquí.",
        "who": "Soy el asistente de tu biblioteca de documentos. Respondo a partir de tus documentos y "
        "digo de dónde sale cada frase.",
        "abilities": "Respondo preguntas a partir de tus documentos, con citas y páginas. También puedo "
        "resumir un documento y enumerar los documentos que hay.",
    },
    "it": {
        "thanks": "Prego. Chiedimi pure altro sui tuoi documenti.",
        "ok": "Va bene. Chiedimi pure altro sui tuoi documenti.",
        "greeting": "Ciao! Che cosa vuoi sapere dai tuoi documenti?",
        "goodbye": "Arrivederci! I tuoi documenti restano qui.",
        "who": "Sono l'assistente della tua raccolta di documenti. Rispondo in base ai tuoi documenti e "
        "dico da dove viene ogni frase.",
        "abilities": "Rispondo alle domande in base ai tuoi documenti, con citazioni e pagine. Posso anche "
        "riassumere un documento ed elencare i documenti presenti.",
    },
    "nl": {
        "thanks": "Graag gedaan. Vraag me gerust meer over je documenten.",
        "ok": "Goed. Vraag me gerust meer over je documenten.",
        "greeting": "Hallo! Wat wil je uit je documenten weten?",
        "goodbye": "Tot ziens! Je documenten blijven hier.",
        "who": "Ik ben de assistent van je documentenbibliotheek. Ik antwoord uit je documenten en zeg "
        "waar elke zin vandaan komt.",
        "abilities": "Ik beantwoord vragen uit je documenten, met citaten en pagina's. Ik kan ook een "
        "document samenvatten en de documenten opnoemen.",
    },
    "pt": {
        "thanks": "De nada. Pergunte-me mais sobre os seus documentos.",
        "ok": "Certo. Pergunte-me mais sobre os seus documentos.",
        "greeting": "Olá! O que quer saber dos seus documentos?",
        "goodbye": "Até logo! Os seus documentos ficam aqui.",
        "who": "Sou o assistente da sua biblioteca de documentos. Respondo a partir dos seus documentos e "
        "digo de onde vem cada frase.",
        "abilities": "Respondo a perguntas a partir dos seus documentos, com citações e páginas. Também "
        "posso resumir um documento e listar os documentos que existem.",
    },
    "da": {
        "thanks": "Selv tak. Spørg gerne om mere i dine dokumenter.",
        "ok": "I orden. Spørg gerne om mere i dine dokumenter.",
        "greeting": "Hej! Hvad vil du vide fra dine dokumenter?",
        "goodbye": "Farvel! Dine dokumenter bliver her.",
        "who": "Jeg er assistenten for din dokumentsamling. Jeg svarer ud fra dine dokumenter og siger, "
        "hvor hver sætning kommer fra.",
        "abilities": "Jeg svarer på spørgsmål ud fra dine dokumenter, med citater og sidetal. Jeg kan også "
        "sammenfatte et dokument og nævne de dokumenter, der er her.",
    },
    "sv": {
        "thanks": "Varsågod. Fråga gärna mer om dina dokument.",
        "ok": "Bra. Fråga gärna mer om dina dokument.",
        "greeting": "Hej! Vad vill du veta från dina dokument?",
        "goodbye": "Hej då! Dina dokument finns kvar här.",
        "who": "Jag är assistenten för din dokumentsamling. Jag svarar utifrån dina dokument och säger var "
        "varje mening kommer ifrån.",
        "abilities": "Jag svarar på frågor utifrån dina dokument, med citat och sidor. Jag kan också "
        "sammanfatta ett dokument och räkna upp dokumenten som finns.",
    },
    "no": {
        "thanks": "Bare hyggelig. Spør gjerne om mer fra dokumentene dine.",
        "ok": "Greit. Spør gjerne om mer fra dokumentene dine.",
        "greeting": "Hei! Hva vil du vite fra dokumentene dine?",
        "goodbye": "Ha det! Dokumentene dine blir her.",
        "who": "Jeg er assistenten for dokumentsamlingen din. Jeg svarer ut fra dokumentene dine og sier "
        "hvor hver setning kommer fra.",
        "abilities": "Jeg svarer på spørsmål ut fra dokumentene dine, med sitater og sidetall. Jeg kan "
        "også sammenfatte et dokument og nevne dokumentene som er her.",
    },
    "ru": {
        "thanks": "Пожалуйста. Спрашивайте ещё о ваших документах.",
        "ok": "Хорошо. Спрашивайте ещё о ваших документах.",
        "greeting": "Здравствуйте! Что вы хотите узнать из ваших документов?",
        "goodbye": "До свидания! Ваши документы остаются здесь.",
        "who": "Я помощник вашей библиотеки документов. Я отвечаю по вашим документам и указываю, откуда "
        "взято каждое предложение.",
        "abilities": "Я отвечаю на вопросы по вашим документам, с цитатами и страницами. Ещё я могу кратко "
        "изложить документ и перечислить документы.",
    },
    "tr": {
        "thanks": "Rica ederim. Belgeleriniz hakkında başka sorular da sorabilirsiniz.",
        "ok": "Peki. Belgeleriniz hakkında başka sorular da sorabilirsiniz.",
        "greeting": "Merhaba! Belgelerinizden ne öğrenmek istersiniz?",
        "goodbye": "Hoşça kalın! Belgeleriniz burada kalıyor.",
        "who": "Ben belge kitaplığınızın yardımcısıyım. Soruları belgelerinizden yanıtlar ve her cümlenin "
        "nereden geldiğini söylerim.",
        "abilities": "Soruları belgelerinizden, alıntılar ve sayfalarla yanıtlarım. Bir belgeyi "
        "özetleyebilir ve buradaki belgeleri sayabilirim.",
    },
}
