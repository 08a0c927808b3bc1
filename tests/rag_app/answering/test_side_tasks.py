"""What chat programs ask beside a person's questions, in the words of their own prompts."""

import json
from collections.abc import Iterator

import pytest
from langchain_core.runnables import RunnableConfig

from ingestion.encoders import Encoder
from ingestion.errors import ModelError
from rag_app.answering.answers import Answer, PassagesFound
from rag_app.answering.chat_answerer import ChatAnswerer
from rag_app.answering.extractive_answerer import ExtractiveAnswerer
from rag_app.answering.side_tasks import accepted, by_rules, side_task_events, side_task_of

TALK = """### Chat History:
<chat_history>
USER: When was the Bramley apple tree planted?
ASSISTANT: It was planted in 1921 [1]
</chat_history>"""
TITLE = f"""### Task:
Generate a concise, 3-5 word title with an emoji summarizing the chat history.
### Guidelines:
- The title should clearly represent the main theme or subject of the conversation.
### Output:
JSON format: {{ "title": "your concise title here" }}
### Examples:
- {{ "title": "📉 Stock Market Trends" }}
{TALK}"""
TAGS = f"""### Task:
Generate 1-3 broad tags categorizing the main themes of the chat history, along with 1-3 more specific tags.
### Output:
JSON format: {{ "tags": ["tag1", "tag2", "tag3"] }}
{TALK}"""
FOLLOW_UPS = f"""### Task:
Suggest 3-5 relevant follow-up questions or prompts that the user might naturally ask next in this chat.
### Output:
JSON format: {{ "follow_ups": ["Question 1?", "Question 2?"] }}
{TALK}"""
QUERIES = f"""### Task:
Analyze the chat history to determine the necessity of generating search queries, in the given language.
### Guidelines:
- Respond **EXCLUSIVELY** with a JSON object.
### Output:
{{ "queries": ["query1", "query2"] }}
{TALK}"""
COMPLETION = f"""### Task:
You are an autocompletion system. Continue the text in `<text>` based on the completion type.
### Output: JSON {{ "text": "" }}
{TALK}"""
OTHERS = f"""### Aufgabe:
Fasse das Gespräch in einem Satz zusammen.
### Ausgabe:
JSON: {{ "summary": "..." }}
{TALK}"""
LIBRECHAT = """Provide a concise, 5-word-or-less title for the conversation, using title case conventions. \
Only return the title itself.

Conversation:
User: When was the Bramley apple tree planted?
AI: In 1921."""
LOBECHAT = [
    ("system", "You are an assistant who needs to summarize user conversations into titles"),
    (
        "user",
        "user: When was the Bramley apple tree planted?\nassistant: In 1921.\n\nPlease summarize the above "
        "conversation into a title within 10 characters, without punctuation marks, output language: en-US",
    ),
]  # fmt: skip
BY_A_PERSON = [
    "What is the title of the report?", "Generate a title page for the lift contract",
    "List the tags of the valves", "Suggest follow-up questions for the interview with the tenants.",
    "### Task: What does section 3 say?", "Summarise the conversation of 3 May with the lift company",
    "What JSON format does the exporter write?", "Which search queries does the manual describe?",
    'What does { "title": "x" } mean in the settings?', "User: who is the default user?",
]  # fmt: skip


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        (TITLE, {"title": "Bramley apple tree planted"}),
        (TAGS, {"tags": ["Bramley", "apple", "tree"]}),
        (FOLLOW_UPS, {"follow_ups": []}),
        (QUERIES, {"queries": []}),
        (COMPLETION, {"text": ""}),
        (OTHERS, {"summary": ""}),
    ],
)
def test_json_is_answered_where_it_is_demanded(prompt: str, answer: object) -> None:
    chore = side_task_of([("user", "Hello"), ("assistant", "Hello!"), ("user", prompt)])
    assert chore is not None
    assert json.loads(by_rules(chore)) == answer


@pytest.mark.parametrize("messages", [[("user", LIBRECHAT)], LOBECHAT])
def test_a_title_is_text_where_no_json_is_demanded(messages: list[tuple[str, str]]) -> None:
    chore = side_task_of(messages)
    assert chore is not None
    assert by_rules(chore) == "Bramley apple tree planted"


def test_the_conversation_may_stand_before_the_request() -> None:
    asked = "Generate a title for this conversation. Only return the title."
    said = [("user", "Wann läuft der Liftvertrag aus?"), ("assistant", "2027."), ("user", asked)]
    chore = side_task_of(said)
    assert chore is not None
    assert by_rules(chore) == "Läuft Liftvertrag"
    demanded = side_task_of([*said[:2], ("user", "Generate a title for this conversation")], as_json=True)
    assert demanded is not None
    assert json.loads(by_rules(demanded)) == {"title": "Läuft Liftvertrag"}


@pytest.mark.parametrize("question", BY_A_PERSON)
def test_a_persons_question_is_none(question: str) -> None:
    assert side_task_of([("user", question)]) is None


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ('{"title": "🍎 Apple trees"}', '{"title": "🍎 Apple trees"}'),
        ('Sure!\n```json\n{ "title": "Apple trees" }\n```', '{"title": "Apple trees"}'),
        ("Apple trees", None), ('{"title": ["Apple"]}', None),
        ('{"name": "Apple"}', None), ("[" * 9000, None),
    ],
)  # fmt: skip
def test_what_a_model_writes_must_have_the_form(written: str, taken: str | None) -> None:
    chore = side_task_of([("user", TITLE)])
    assert chore is not None
    assert accepted(chore, written) == taken


class Writing(ChatAnswerer):
    """An answerer whose model writes what it is told to."""

    name = "written.gguf"
    completes = False
    leaves_machine = "example.org"

    def __init__(self, text: str | None) -> None:
        self._text = text

    def write_prompt(self, prompt: object, config: RunnableConfig) -> Iterator[str]:  # type: ignore[override]
        if self._text is None:
            raise ModelError("the prompt is longer than the window")
        yield from self._text


@pytest.mark.parametrize(
    ("text", "answer", "llm"),
    [
        ('{"title": "Old trees"}', '{"title": "Old trees"}', "written.gguf"),
        ("I cannot do that.", '{"title": "Bramley apple tree planted"}', "extractive"),
        (None, '{"title": "Bramley apple tree planted"}', "extractive"),
    ],
)
def test_a_model_does_it_where_it_can(text: str | None, answer: str, llm: str, encoder: Encoder) -> None:
    chore = side_task_of([("user", TITLE)])
    assert chore is not None
    found, *_, last = side_task_events(chore, Writing(text), encoder, None)
    assert isinstance(found, PassagesFound)
    assert isinstance(last, Answer)
    assert (last.text, last.llm, last.flags) == (answer, llm, ("leaves this machine: example.org",))
    assert last.citations == last.nearest == ()


def test_without_a_model_rules_do_it(encoder: Encoder) -> None:
    chore = side_task_of([("user", TAGS)])
    assert chore is not None
    *_, last = side_task_events(chore, ExtractiveAnswerer(encoder), encoder, None)
    assert isinstance(last, Answer)
    assert json.loads(last.text) == {"tags": ["Bramley", "apple", "tree"]}
    assert last.flags == ()
