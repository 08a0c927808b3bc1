"""Side tasks of chat programs: a title for the conversation, tags, follow-up questions.

Their prompts (Open WebUI's "### Task:", LibreChat's, LobeChat's) describe the task, and contain the
conversation. They need no search. A language model does the task, where there is one, and its text must have
the requested form; otherwise rules do the task.
"""

import json
import re
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig

from ingestion.encoders import Encoder
from ingestion.errors import RagError
from rag_app.answering.answerer import Answerer
from rag_app.answering.answers import AnswerEvent
from rag_app.answering.chain import sent_away
from rag_app.answering.chat_answerer import ChatAnswerer
from rag_app.answering.library_replies import Reply, reply_events
from rag_app.answering.questions.follow_ups import asking_words, content, languages_of
from rag_app.answering.questions.question_kinds import kind_of

# Characters of a prompt: those that are searched for the task, and those that a model reads.
_LOOKED_AT = 4_000
_MOST_READ = 12_000
_WORDS_OF_A_TITLE = 6
_MOST_TITLE = 80
_MOST_TAGS = 3
_EMOJI = "💬"

_TALK = r"(?:chat|conversation|discussion|dialog(?:ue)?|messages?|above|chat history)"
_MAKE = r"(?:generate|create|write|suggest|provide|give|make|come up with|summari[sz]e)"
# The task's key in JSON → a pattern of the prompt's first sentence, which names task and conversation.
_WANTED = {
    "title": rf"{_MAKE}\b[^.\n]*\btitle\b[^.\n]*\b{_TALK}\b|{_MAKE}\b[^.\n]*\b{_TALK}\b[^.\n]*\btitle\b|"
    r"title for a conversation that starts with|analy[sz]e this conversation and provide|"
    r"(?:对话|会话)[^\n]*标题",
    "tags": rf"{_MAKE}\b[^.\n]*\btags?\b[^.\n]*\b{_TALK}\b",
    "follow_ups": rf"{_MAKE}\b[^.\n]*\bfollow[- ]?ups?\b[^.\n]*\b(?:{_TALK}|naturally ask next|user)\b",
    "queries": rf"(?:generat|determin)\w*\b[^.\n]*\bsearch (?:quer|is necessary)[^\n]*|"
    rf"{_MAKE}\b[^.\n]*\bsearch quer(?:y|ies)\b[^.\n]*\b{_TALK}\b",
    "text": r"you are an autocompletion system",
    "emoji": r"facial expression[^\n]*\bemoji",
    "prompt": rf"{_MAKE}\b[^.\n]*\bprompt for am? image generation\b",
}
_LISTS = frozenset({"tags", "follow_ups", "queries"})
_TASK = re.compile(r"\s*#{1,4}\s*(?:task|aufgabe|tâche|tarea|tarefa|compito)\s*:", re.IGNORECASE)
# The scaffold of a program's prompt; a person types a task in one line.
_SCAFFOLD = re.compile(
    r"<chat_history>|#+ *chat history|^conversation:|^(?:user|human) ?:|json|only return|output language|"
    r"starts with|detected language|输出语言",
    re.IGNORECASE | re.MULTILINE,
)
_OWN_FORM = re.compile(r"\{\s*\"(\w{1,40})\"\s*:\s*(\[|\")")
_HISTORY = re.compile(r"<chat_history>(.*?)</chat_history>", re.IGNORECASE | re.DOTALL)
_SAID = re.compile(
    r"^[ \t]*(?:\*\*)?(user|human|assistant|ai)(?:\*\*)? ?:[ \t]*", re.IGNORECASE | re.MULTILINE
)
_JSON_WANTED = re.compile(r"\bjson\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SideTask:
    """A side task.

    Attributes:
        key: Its key in JSON.
        is_list, as_json: The form of the result.
        questions: The questions in the conversation.
        rules: The program's system messages.
    """

    key: str
    is_list: bool
    as_json: bool
    questions: tuple[str, ...]
    prompt: str
    rules: str = ""


def side_task_of(messages: Sequence[tuple[str, str]], *, as_json: bool = False) -> SideTask | None:
    """Return the task in a conversation's last message; None for a person's question.

    Args:
        messages: Pairs (role, text).
        as_json: The request demands JSON.
    """
    prompt = messages[-1][1]
    rules = "\n".join(text for role, text in messages if role in ("system", "developer"))
    head = prompt[:_LOOKED_AT] + "\n" + prompt[-_LOOKED_AT:]
    key = _key(prompt, head, rules, as_json=as_json)
    if key is None:
        return None
    own = _OWN_FORM.search(prompt)
    is_list = own[2] == "[" if own and own[1] == key else key in _LISTS
    return SideTask(
        key=key,
        is_list=is_list,
        as_json=as_json or bool(_JSON_WANTED.search(head)),
        questions=tuple(_questions(prompt)) or tuple(text for role, text in messages[:-1] if role == "user"),
        prompt=prompt,
        rules=rules,
    )


def side_task_events(
    task: SideTask, answerer: Answerer, encoder: Encoder, config: RunnableConfig | None
) -> Generator[AnswerEvent]:
    """Yield the model's progress, and the result as an answer without passages, sources and checks."""
    written: str | None = None
    name, where = None, None
    if isinstance(answerer, ChatAnswerer) and not answerer.completes:
        where = answerer.leaves_machine
        pieces: list[str] = []
        try:
            with closing(answerer.write_prompt(_prompt(task), config or {})) as writing:
                for piece in writing:
                    if isinstance(piece, str):
                        pieces.append(piece)
                    else:
                        yield piece
            written = accepted(task, "".join(pieces))
        except RagError:  # prompt too long, model busy or gone: a title is not worth an error
            written = None
        name = answerer.name if written is not None else None
    flags = sent_away(where)
    yield from reply_events(task.prompt, Reply(written or by_rules(task)), encoder, llm=name, flags=flags)


def accepted(task: SideTask, written: str) -> str | None:
    """Return a model's text in the requested form; None for text in another form."""
    if not task.as_json:
        line = written.strip().strip('"“”').strip()
        return line if line and (task.is_list or ("\n" not in line and len(line) <= _MOST_TITLE)) else None
    start, end = written.find("{"), written.rfind("}")
    try:
        value = json.loads(written[start : end + 1])[task.key]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    fits = (
        isinstance(value, list) and all(isinstance(one, str) for one in value)
        if task.is_list
        else (isinstance(value, str))
    )
    return _json(task, value) if fits else None


def by_rules(task: SideTask) -> str:
    """Return the task's answer from the words of what was asked."""
    value: str | list[str]
    match task.key:
        case "title":
            value = _title(task.questions)
        case "tags":
            value = _tags(task.questions)
        case "prompt":
            value = task.questions[-1][:_LOOKED_AT] if task.questions else ""
        case "emoji":
            value = _EMOJI
        case _:
            value = ""
    if task.is_list:
        value = value if isinstance(value, list) else [value] if value else []
        return _json(task, value) if task.as_json else ", ".join(value)
    value = ", ".join(value) if isinstance(value, list) else value
    return _json(task, value) if task.as_json else value


def _key(prompt: str, head: str, rules: str, *, as_json: bool) -> str | None:
    task = _TASK.match(prompt)
    scaffold = task or as_json or _SCAFFOLD.search(head)
    if not scaffold:
        return None
    for text in (head, rules[:_LOOKED_AT]):
        for key, pattern in _WANTED.items():
            if re.search(pattern, text[:_LOOKED_AT] if task else text, re.IGNORECASE):
                return key
    own = _OWN_FORM.search(prompt)
    # A task in another language, or a new one, still states its form.
    return own[1] if task and own and _HISTORY.search(prompt) else None


def _questions(prompt: str) -> list[str]:
    """Return the questions in the conversation that a prompt contains."""
    history = _HISTORY.search(prompt)
    text = history[1] if history else prompt
    turns = list(_SAID.finditer(text))
    ends = [turn.start() for turn in turns[1:]] + [len(text)] * bool(turns)
    return [
        said
        for turn, end in zip(turns, ends, strict=True)
        if turn[1].casefold() in ("user", "human") and (said := text[turn.end() : end].strip())
    ]


def _title(questions: Sequence[str]) -> str:
    asked = next((one for one in questions if kind_of(one) is None), questions[0] if questions else "")
    words = _content_in_order(asked[:_LOOKED_AT])[:_WORDS_OF_A_TITLE]
    title = " ".join(words) or " ".join(asked.split()[:_WORDS_OF_A_TITLE]).strip(" ?!.") or "New chat"
    return (title[0].upper() + title[1:])[:_MOST_TITLE]


def _tags(questions: Sequence[str]) -> list[str]:
    counts = Counter(word for one in questions for word in dict.fromkeys(_content_in_order(one[:_LOOKED_AT])))
    return [word for word, _ in counts.most_common(_MOST_TAGS)] or ["General"]


def _content_in_order(text: str) -> list[str]:
    spoken = languages_of(text)
    named = content(text, spoken) - asking_words(spoken)
    return [word for word in re.findall(r"\w[\w’'-]*", text) if content(word, spoken) & named]


def _json(task: SideTask, value: str | list[str]) -> str:
    return json.dumps({task.key: value}, ensure_ascii=False)


def _prompt(task: SideTask) -> list[BaseMessage]:
    """Return the program's prompt; of a long one the beginning and the end."""
    text = task.prompt
    if len(text) > _MOST_READ:
        text = f"{text[: _MOST_READ // 2]}\n…\n{text[-_MOST_READ // 2 :]}"
    rules = [SystemMessage(task.rules[:_LOOKED_AT])] if task.rules else []
    return [*rules, HumanMessage(text)]
