"""Small talk: phrases that ask nothing of documents, in the languages with known stop words.

A phrase counts only where the whole question consists of phrases (`questions.question_kinds`). "How does this
work?" is no phrase: it may follow up on an answer.
"""

from collections.abc import Mapping

# Language → kind → phrases in lower case without punctuation, separated by /. The kinds are the values of
# `question_kinds.QuestionKind`; a "filler" stands between phrases, and is none alone.
PHRASES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "ok": "ok/okay/yes/no/yep/yeah/nope/sure/great/perfect/cool/nice/super/awesome/excellent/wonderful/"
        "brilliant/alright/all right/all good/understood/got it/i see/sounds good/good to know/very good/"
        "that is all/thats all/no problem/no thanks/no thank you/never mind/nevermind/nvm/makes sense/oh/"
        "wow/haha/hahaha/lol/lmao/rofl/hm/hmm/fine thanks/its ok/its fine/that is fine/thats fine/youre "
        "welcome/you are welcome/fair enough/i understand/not now/maybe later/k/kk/okey/okey dokey/yup/nah/"
        "alrighty/forget it/nothing/ignore that/no worries/that will be all/thatll be all/interesting/ha/ok "
        "then",
        "greeting": "hi/hello/hey/hi there/hello there/hey there/hiya/howdy/good morning/good afternoon/"
        "good evening/good day/greetings/hello world/nice to meet you/pleased to meet you/i hope you are "
        "well/helo/hllo/helllo/hallo/heya/yo/morning/evening/gm/hi again/hello again/good to see you/"
        "goodmorning",
        "wellbeing": "how are you/how are you doing/how are you today/how do you do/hows it going/how is it "
        "going/whats up/what is up/sup/how are things/how have you been/how do you feel/hows your day/how "
        "is your day/how r u/how are u/are you ok/are you okay/hru/how are you feeling/you ok/you alright",
        "test": "test/testing/test test/testing testing/test 123/test 1 2 3/testing 123/testing 1 2 3/this "
        "is a test/just testing/just a test/ping/are you there/you there/anybody there/anyone there/is "
        "anyone there/is anybody there/anybody home/are you working/do you work/are you online/are you "
        "awake/are you alive/are you listening/can you hear me/do you hear me/can you read this/can you "
        "read me/does this work/is this working/is this on/is this thing on/knock knock",
        "sorry": "sorry/im sorry/i am sorry/so sorry/my bad/apologies/my apologies/i apologise/i apologize/"
        "oops/whoops/ups/my mistake/sorry about that/sorry for that/excuse me/pardon/pardon me/wrong window/"
        "wrong chat",
        "praise": "well done/good job/great job/nice job/nice work/good work/great work/good answer/great "
        "answer/excellent answer/good bot/good boy/very helpful/that helps/that helped/that is great/thats "
        "great/thats perfect/that is perfect/that was great/that was perfect/you are great/youre great/you "
        "are awesome/youre awesome/you are the best/youre the best/i love you/love you/i like you/love it/"
        "love this/that is helpful/thats helpful/impressive/amazing/fantastic/bravo/kudos/you rock/spot on/"
        "exactly/thats right/that is right/correct/thats correct/that is correct/good stuff/very nice/very "
        "cool/so cool/thats cool/that is cool",
        "maker": "who made you/who built you/who created you/who developed you/who programmed you/who wrote "
        "you/who owns you/who trained you/who is your creator/who is your maker/who designed you/where do "
        "you come from/where are you from/what are you made of/which company made you/who are your "
        "developers/what company made you",
        "goodbye": "bye/goodbye/good bye/bye bye/see you/see you later/see you soon/see you tomorrow/good "
        "night/have a nice day/have a good day/have a great day/have a good one/take care/farewell/until "
        "next time/talk to you later/have a nice weekend/have a good weekend",
        "thanks": "thanks/thank you/thx/cheers/thanks a lot/many thanks/thank you so much/thank you very "
        "much/thanks so much/thanks very much/much appreciated/i appreciate it/that was helpful/thanx/thnx/"
        "thnks/thankyou/thank u/thankyou so much/thankyou very much/thanks a bunch/thanks a million/ty/tysm/"
        "tyvm/tnx/tks/thks/thanks a ton/thank you for that/thank you for the answer/thanks for the answer/"
        "thanks for your help/thank you for your help/thanks for the help/thank you for the help/thanks for "
        "that/thanks for the info/thanks for the information/thanks again",
        "who": "who are you/what are you/who am i talking to/who am i speaking to/what is your name/whats "
        "your name/do you have a name/are you a bot/are you a robot/are you human/are you an ai/are you a "
        "human/are you a person/are you real/are you chatgpt/are you an llm/are you gpt/are you claude/are "
        "you a machine/are you a chatbot/are you a computer/are you ai/what is this/what is this app/what "
        "is this thing/who r u/whats this/what are you exactly/introduce yourself/please introduce yourself/"
        "tell me about yourself/tell me who you are/what kind of assistant are you/what model are you/what "
        "llm are you/which model are you/which llm are you",
        "abilities": "help/help me/i need help/what can you do/what do you do/what can you do for me/what "
        "can i ask/what can i ask you/what can i do here/what can you help me with/how do you work/how can "
        "you help/how can you help me/what are you able to do/what are your capabilities/what are your "
        "abilities/what can this do/what can this app do/what does this do/what does this app do/how does "
        "this app work/what are your features/what can i do with you/how do i use you/how can i use you/can "
        "you help/can you help me/could you help me/what should i ask/what questions can i ask/what are you "
        "for/what is your purpose/whats your purpose/what questions can you answer",
        "filler": "1 2 3/123/one two three/there/you/all/everyone/everybody/again/please/so much/very much/"
        "a lot/friend/my friend/assistant/bot/buddy/dear/then/now/and/just/for now/oh/ah/well/today/man/"
        "mate/team/sir/madam/me/one",
    },
    "de": {
        "ok": "ok/okay/ja/nein/gut/sehr gut/prima/super/toll/perfekt/alles klar/verstanden/verstehe/in "
        "ordnung/klar/genau/einverstanden/passt/kein problem/wunderbar/ausgezeichnet/das ist alles/ach so/"
        "aha/schön/das war alles/nein danke",
        "greeting": "hallo/hi/hey/guten tag/guten morgen/guten abend/moin/moin moin/servus/grüß gott/"
        "grüezi/grüß dich",
        "goodbye": "tschüss/tschüß/auf wiedersehen/bis bald/bis später/bis dann/bis morgen/gute nacht/ciao/"
        "schönen tag/schönen tag noch/einen schönen tag/einen schönen tag noch/schönen abend/machs gut/"
        "schönes wochenende",
        "thanks": "danke/danke schön/dankeschön/vielen dank/danke sehr/danke dir/ich danke dir/herzlichen "
        "dank/besten dank/tausend dank/danke für die hilfe/danke für deine hilfe/vielen dank für die hilfe/"
        "danke für die antwort/danke ihnen",
        "who": "wer bist du/wer sind sie/was bist du/was sind sie/wie heißt du/wie heisst du/wie heißen "
        "sie/stell dich vor/stellen sie sich vor/bist du ein roboter/bist du ein bot/bist du ein mensch/"
        "bist du eine ki",
        "abilities": "hilfe/was kannst du/was kannst du alles/was können sie/was machst du/wie "
        "funktionierst du/wobei kannst du helfen/wobei kannst du mir helfen/wie kannst du mir helfen/"
        "kannst du mir helfen/was kann ich fragen/was kann ich dich fragen/was kann ich hier machen/können "
        "sie mir helfen/was tust du",
        "wellbeing": "wie geht es dir/wie gehts/wie geht es ihnen/wie gehts dir/wie geht es dir heute/alles "
        "gut",
        "test": "test/testen/bist du da/sind sie da/hallo ist da jemand/ist da jemand/ist jemand da/hörst "
        "du mich/funktionierst du/geht das hier",
        "sorry": "entschuldigung/entschuldige/sorry/tut mir leid/verzeihung/entschuldigen sie/pardon/mein "
        "fehler/ups",
        "praise": "gut gemacht/gute arbeit/gute antwort/du bist toll/du bist super/sehr hilfreich/klasse/"
        "spitze",
        "maker": "wer hat dich gemacht/wer hat dich gebaut/wer hat dich entwickelt/wer hat dich erschaffen/"
        "wer hat dich programmiert/von wem bist du",
        "filler": "du/dir/alle/alle zusammen/zusammen/noch/nochmal/bitte/sehr/dann/und/ihr/mal/ja/"
        "ach/so/eigentlich",
    },
    "fr": {
        "ok": "ok/okay/oui/non/daccord/bien/très bien/parfait/super/génial/compris/entendu/cest bon/"
        "excellent/je vois/pas de problème/cest tout/nickel/non merci",
        "greeting": "bonjour/salut/bonsoir/coucou/allô",
        "wellbeing": "comment ça va/comment allez vous/comment vas tu/ça va/comment tu vas/tu vas bien/vous "
        "allez bien",
        "test": "test/tu es là/vous êtes là/es tu là/êtes vous là/il y a quelquun",
        "sorry": "désolé/désolée/pardon/excuse moi/excusez moi/je suis désolé/je suis désolée/oups",
        "praise": "bien joué/bravo/bon travail/bonne réponse/beau travail/très utile/tu es super",
        "maker": "qui ta créé/qui ta fait/qui vous a créé/qui ta programmé/qui ta développé",
        "goodbye": "au revoir/à bientôt/adieu/à demain/à plus tard/à plus/bonne nuit/bonne journée/bonne "
        "soirée/bon week end/à la prochaine",
        "thanks": "merci/merci beaucoup/merci bien/un grand merci/mille mercis/je vous remercie/je te "
        "remercie/merci pour votre aide/merci pour ton aide/merci de votre aide/merci à vous/merci à toi",
        "who": "qui es tu/qui êtes vous/tu es qui/vous êtes qui/quest ce que tu es/comment tappelles tu/"
        "comment vous appelez vous/quel est ton nom/quel est votre nom/présente toi/présentez vous/es tu "
        "un robot/êtes vous un robot/es tu humain/tu es un robot",
        "abilities": "aide/à laide/aide moi/que peux tu faire/que pouvez vous faire/que sais tu faire/"
        "quest ce que tu peux faire/quest ce que tu sais faire/quest ce que vous pouvez faire/comment peux "
        "tu maider/comment pouvez vous maider/peux tu maider/pouvez vous maider/que puis je demander/que "
        "puis je te demander/comment fonctionnes tu/tu peux faire quoi",
        "filler": "tout le monde/à tous/vous/toi/encore/beaucoup/bien/et/alors/donc/ah/mon ami/stp/svp",
    },
    "es": {
        "ok": "ok/okay/vale/sí/si/no/bien/muy bien/perfecto/genial/de acuerdo/entendido/claro/estupendo/"
        "excelente/ya veo/está bien/eso es todo/no hay problema/no gracias/súper",
        "greeting": "hola/buenos días/buenas tardes/buenas noches/buenas/buen día/saludos",
        "wellbeing": "qué tal/cómo estás/cómo está/cómo te va/cómo estás hoy/cómo está usted/qué tal estás",
        "test": "prueba/probando/estás ahí/está ahí/hay alguien/hay alguien ahí/me oyes/funcionas",
        "sorry": "perdón/perdona/lo siento/disculpa/disculpe/perdone/lo siento mucho",
        "praise": "buen trabajo/bien hecho/buena respuesta/muy útil/eres genial/eres el mejor",
        "maker": "quién te creó/quién te hizo/quién te programó/quién te ha creado/quién te desarrolló",
        "goodbye": "adiós/hasta luego/hasta pronto/hasta mañana/hasta la vista/nos vemos/chao/chau/que "
        "tengas un buen día/que tenga un buen día/buen fin de semana",
        "thanks": "gracias/muchas gracias/mil gracias/muchísimas gracias/gracias por tu ayuda/gracias por "
        "su ayuda/gracias por la ayuda/te lo agradezco/se lo agradezco",
        "who": "quién eres/quién es usted/qué eres/cómo te llamas/cómo se llama usted/cuál es tu nombre/"
        "preséntate/eres un robot/eres un bot/eres humano/eres una ia",
        "abilities": "ayuda/ayúdame/qué puedes hacer/qué sabes hacer/qué puede hacer/qué haces/cómo "
        "funcionas/cómo puedes ayudarme/en qué puedes ayudarme/en qué me puedes ayudar/puedes ayudarme/me "
        "puedes ayudar/qué puedo preguntar/qué puedo preguntarte/qué te puedo preguntar/para qué sirves",
        "filler": "a todos/todos/muchas/de nuevo/otra vez/y/pues/entonces/amigo/por favor/por todo",
    },
    "it": {
        "ok": "ok/okay/sì/si/no/va bene/bene/molto bene/perfetto/ottimo/capito/ho capito/daccordo/certo/"
        "fantastico/grande/tutto chiaro/è tutto/nessun problema/no grazie",
        "greeting": "ciao/buongiorno/buon giorno/buonasera/buona sera/salve/come stai/come sta/come va",
        "goodbye": "arrivederci/addio/a presto/a domani/a dopo/buonanotte/buona notte/buona giornata/buona "
        "serata/ci vediamo/buon fine settimana",
        "thanks": "grazie/grazie mille/molte grazie/tante grazie/ti ringrazio/la ringrazio/grazie infinite/"
        "grazie per laiuto/grazie dellaiuto/grazie di tutto",
        "who": "chi sei/chi è lei/cosa sei/come ti chiami/come si chiama lei/qual è il tuo nome/presentati/"
        "sei un robot/sei un bot/sei umano/chi ti ha creato",
        "abilities": "aiuto/aiutami/cosa puoi fare/che cosa puoi fare/cosa sai fare/che cosa sai fare/cosa "
        "fai/come funzioni/come puoi aiutarmi/come mi puoi aiutare/puoi aiutarmi/mi puoi aiutare/cosa "
        "posso chiedere/cosa posso chiederti",
        "filler": "a tutti/tutti/ancora/di nuovo/e/allora/amico/per favore/tanto/per tutto",
    },
    "nl": {
        "ok": "ok/oké/oke/okay/ja/nee/goed/heel goed/prima/perfect/super/mooi/begrepen/duidelijk/geweldig/"
        "akkoord/dat is alles/geen probleem/nee bedankt",
        "greeting": "hallo/hoi/hey/goedemorgen/goedemiddag/goedenavond/goedendag/dag/hoe gaat het/hoe gaat "
        "het met je/hoe gaat het met u",
        "goodbye": "doei/tot ziens/tot straks/tot later/tot morgen/dag/welterusten/goedenacht/fijne dag/"
        "fijne avond/fijn weekend/prettige dag",
        "thanks": "bedankt/dank je/dank je wel/dankjewel/dank u/dank u wel/dankuwel/hartelijk dank/heel "
        "erg bedankt/bedankt voor de hulp/bedankt voor je hulp/dank",
        "who": "wie ben je/wie ben jij/wie bent u/wat ben je/wat ben jij/hoe heet je/hoe heet jij/hoe heet "
        "u/wat is je naam/stel jezelf voor/ben je een robot/ben je een mens/ben jij een robot",
        "abilities": "help/hulp/wat kun je/wat kan je/wat kun je doen/wat kan je doen/wat kunt u doen/wat "
        "doe je/hoe werk je/hoe kun je me helpen/hoe kan je me helpen/kun je me helpen/kan je me helpen/"
        "waarmee kun je helpen/waarmee kun je me helpen/wat kan ik vragen/wat kan ik je vragen",
        "filler": "allemaal/iedereen/je/jij/u/nog/wel/en/dan/zeer/hoor/alsjeblieft",
    },
    "pt": {
        "ok": "ok/okay/sim/não/bem/muito bem/perfeito/ótimo/certo/entendi/entendido/está bem/tudo bem/"
        "claro/excelente/legal/é tudo/sem problema/não obrigado/não obrigada",
        "greeting": "olá/oi/bom dia/boa tarde/boa noite/como vai/como está/como estás/tudo bem/"
        "tudo bom/saudações",
        "goodbye": "adeus/tchau/até logo/até breve/até amanhã/até mais/tenha um bom dia/bom fim de semana",
        "thanks": "obrigado/obrigada/muito obrigado/muito obrigada/agradeço/obrigado pela ajuda/obrigada "
        "pela ajuda/valeu/obrigadíssimo",
        "who": "quem é você/quem és tu/quem és/quem é tu/o que é você/o que és/como você se chama/como te "
        "chamas/qual é o seu nome/qual é o teu nome/apresente se/você é um robô/és um robô/você é humano",
        "abilities": "ajuda/ajude me/me ajude/o que você pode fazer/o que podes fazer/o que você faz/o que "
        "você sabe fazer/o que sabes fazer/como você funciona/como pode me ajudar/como você pode me ajudar/"
        "como me podes ajudar/você pode me ajudar/podes ajudar me/pode me ajudar/o que posso perguntar",
        "filler": "a todos/todos/de novo/outra vez/e/então/amigo/por favor/por tudo/muito",
    },
    "da": {
        "ok": "ok/okay/ja/nej/godt/fint/perfekt/super/forstået/det er fint/i orden/klart/fedt/det er alt",
        "greeting": "hej/goddag/godmorgen/god morgen/godaften/god aften/hvordan går det/hej med dig/dav",
        "goodbye": "farvel/hej hej/vi ses/på gensyn/godnat/god nat/hav en god dag/god weekend",
        "thanks": "tak/mange tak/tusind tak/tak skal du have/tak for hjælpen/tak for det/tak for din hjælp",
        "who": "hvem er du/hvad er du/hvad hedder du/hvad er dit navn/er du en robot/er du et menneske/"
        "præsenter dig selv",
        "abilities": "hjælp/hvad kan du/hvad kan du gøre/hvad kan du hjælpe med/hvad gør du/hvordan virker "
        "du/kan du hjælpe mig/hvordan kan du hjælpe mig/hvad kan jeg spørge om",
        "filler": "alle/igen/og/så/du/dig/alle sammen",
    },
    "sv": {
        "ok": "ok/okej/ja/nej/bra/jättebra/perfekt/super/toppen/jag förstår/förstått/uppfattat/fint/visst/"
        "det är bra/det är allt",
        "greeting": "hej/hejsan/tjena/god morgon/godmorgon/god dag/god kväll/hallå/hur mår du/hur är det/"
        "hur står det till",
        "goodbye": "hej då/hejdå/adjö/vi ses/på återseende/god natt/godnatt/ha en bra dag/trevlig helg",
        "thanks": "tack/tack så mycket/stort tack/tusen tack/tack för hjälpen/tackar/tack ska du ha/"
        "tack för det",
        "who": "vem är du/vad är du/vad heter du/är du en robot/är du en människa/presentera dig",
        "abilities": "hjälp/vad kan du/vad kan du göra/vad gör du/hur fungerar du/vad kan du hjälpa till "
        "med/kan du hjälpa mig/hur kan du hjälpa mig/vad kan jag fråga",
        "filler": "alla/igen/och/då/du/allihopa",
    },
    "no": {
        "ok": "ok/okei/ja/nei/bra/fint/perfekt/supert/flott/forstått/skjønner/greit/den er grei/det er alt",
        "greeting": "hei/heisann/god morgen/god dag/god kveld/hallo/hvordan går det/hvordan har du det",
        "goodbye": "ha det/ha det bra/hade/farvel/vi ses/på gjensyn/god natt/ha en fin dag/god helg",
        "thanks": "takk/tusen takk/mange takk/takk skal du ha/takk for hjelpen/hjertelig takk/takk for det",
        "who": "hvem er du/hva er du/hva heter du/er du en robot/er du et menneske/presenter deg",
        "abilities": "hjelp/hva kan du/hva kan du gjøre/hva gjør du/hvordan virker du/hva kan du hjelpe "
        "med/kan du hjelpe meg/hvordan kan du hjelpe meg/hva kan jeg spørre om",
        "filler": "alle/igjen/og/så/du/deg/alle sammen",
    },
    "ru": {
        "ok": "ок/окей/да/нет/хорошо/очень хорошо/отлично/понятно/понял/поняла/ясно/ладно/прекрасно/супер/"
        "это всё/это все/замечательно",
        "greeting": "привет/здравствуйте/здравствуй/добрый день/доброе утро/добрый вечер/приветствую/как "
        "дела/как ты/как поживаете",
        "goodbye": "до свидания/пока/прощай/прощайте/до встречи/до завтра/спокойной ночи/всего доброго/"
        "хорошего дня/всего хорошего",
        "thanks": "спасибо/большое спасибо/спасибо большое/благодарю/благодарю вас/спасибо за помощь/"
        "огромное спасибо/спасибо вам/спасибо тебе",
        "who": "кто ты/ты кто/кто вы/вы кто/как тебя зовут/как вас зовут/что ты такое/ты робот/ты человек/"
        "представься/представьтесь/кто ты такой",
        "abilities": "помощь/помоги/помогите/что ты умеешь/что вы умеете/что ты можешь/что ты умеешь "
        "делать/что ты можешь делать/что вы можете/как ты работаешь/чем ты можешь помочь/чем можешь помочь/"
        "ты можешь мне помочь/что можно спросить/что я могу спросить",
        "filler": "всем/вам/тебе/ещё/еще/и/ну/тогда/пожалуйста/очень",
    },
    "tr": {
        "ok": "tamam/tamamdır/peki/evet/hayır/iyi/çok iyi/güzel/mükemmel/harika/süper/anladım/olur/bu kadar",
        "greeting": "merhaba/selam/günaydın/iyi günler/iyi akşamlar/merhabalar/nasılsın/nasılsınız/ne haber",
        "goodbye": "hoşça kal/hoşçakal/güle güle/görüşürüz/görüşmek üzere/iyi geceler/"
        "iyi hafta sonları/bay bay",
        "thanks": "teşekkürler/teşekkür ederim/çok teşekkürler/çok teşekkür ederim/sağ ol/sağol/sağ olun/"
        "yardımın için teşekkürler/yardımınız için teşekkürler",
        "who": "kimsin/sen kimsin/siz kimsiniz/kimsiniz/nesin/sen nesin/adın ne/adınız ne/robot musun/"
        "kendini tanıt/insan mısın",
        "abilities": "yardım/yardım et/ne yapabilirsin/neler yapabilirsin/ne yaparsın/nasıl çalışırsın/"
        "nasıl çalışıyorsun/bana nasıl yardım edebilirsin/bana yardım edebilir misin/ne sorabilirim/neler "
        "yapabilirsiniz/ne yapıyorsun",
        "filler": "herkese/tekrar/ve/o zaman/çok/lütfen",
    },
}
