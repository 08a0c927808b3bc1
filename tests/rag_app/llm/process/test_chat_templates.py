"""The prompts of model families, rendered by the code of the child process.

The templates of `tests/data/chat_templates` were written for these tests. They render chats like these ones
as the templates of the published models do.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment
from langchain_core.messages import HumanMessage, SystemMessage

from rag_app.answering.prompts import messages as prompt_messages
from rag_app.llm.base import plain
from rag_app.llm.llama import LlamaCpp
from tests.helpers.evidence import evidence
from tests.helpers.paths import ROOT

TEMPLATES = ROOT / "tests" / "data" / "chat_templates"
# A process of its own, because llama.cpp's log goes to the first one that asks for it.
RENDER = """
import ctypes, json, sys
import llama_cpp
from rag_app.llm.process.engine_error import EngineError
from rag_app.llm.process.native_log import NativeLog
from rag_app.llm.process.vocabulary import Vocabulary

def text(vocabulary, token):
    buffer = ctypes.create_string_buffer(256)
    size = llama_cpp.llama_token_to_piece(vocabulary._model.vocab, token, buffer, 256, 0, True)
    return bytes(buffer.raw[:size])

log, files, found = NativeLog(), {}, []
for path, chat, thinking in json.load(sys.stdin):
    if path not in files:
        files[path] = Vocabulary(path, log)
    vocabulary = files[path]
    try:
        prompt = vocabulary.prompt(chat, thinking=thinking)
    except EngineError as error:
        found.append({"error": str(error)})
        continue
    bos = prompt.tokens.count(vocabulary._model.token_bos())
    said = b"".join(text(vocabulary, token) for token in prompt.tokens).decode()
    found.append({"text": said, "bos": bos, "thinking": prompt.thinking})
json.dump(found, sys.stdout)
"""

Chat = list[dict[str, str]]
Rendered = dict[str, Any]
Render = Callable[..., Rendered]


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of models: its template's name, and the tokens of its vocabulary that matter here.

    Attributes:
        adds_bos: Its files say that prompts begin with BOS.
        system: Where the system text stands: in a turn of its own, or in the first or last question.
        alternates: It refuses two questions in a row.
    """

    name: str
    control: tuple[str, ...]
    bos: str = "<s>"
    eos: str = "</s>"
    adds_bos: bool = True
    system: str = "own"
    alternates: bool = False

    @property
    def template(self) -> str:
        return (TEMPLATES / f"{self.name}.jinja").read_text()

    def expected(self, chat: Chat, *, thinking: bool = False) -> str:
        """The prompt by jinja2 alone, with the arguments that transformers gives to a template."""

        def refuse(message: str) -> None:
            raise jinja2.TemplateError(message)

        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        return environment.from_string(self.template).render(
            messages=chat,
            tools=None,
            documents=None,
            add_generation_prompt=True,
            enable_thinking=thinking,
            raise_exception=refuse,
            bos_token=self.bos,
            eos_token=self.eos,
        )


QWEN = ("<|im_start|>",)  # and <|im_end|>, which is EOS
GEMMA = ("<start_of_turn>", "<end_of_turn>")
FAMILIES = (
    Family(name="qwen3", control=QWEN, bos="<|endoftext|>", eos="<|im_end|>", adds_bos=False),
    Family(name="qwen2.5", control=QWEN, bos="<|endoftext|>", eos="<|im_end|>", adds_bos=False),
    Family(name="gemma2", control=GEMMA, bos="<bos>", eos="<eos>", system="none", alternates=True),
    Family(name="gemma3", control=GEMMA, bos="<bos>", eos="<eos>", system="first", alternates=True),
    Family(
        name="llama3",
        control=("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        bos="<|begin_of_text|>",
        eos="<|end_of_text|>",
    ),
    Family(
        name="phi3.5",
        control=("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
        eos="<|endoftext|>",
        adds_bos=False,
    ),
    Family(name="mistral-7b", control=(), system="none", alternates=True),
    Family(name="mistral-nemo", control=("[INST]", "[/INST]"), system="last", alternates=True),
)
BY_NAME = {family.name: family for family in FAMILIES}
each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)

SYSTEM = {"role": "system", "content": "Be brief."}
WHY = {"role": "user", "content": "Why?"}
SO = {"role": "assistant", "content": "So [1]."}
HOW = {"role": "user", "content": "And how?"}
HISTORY = [SYSTEM, WHY, SO, HOW]
MOVED = [{"role": "user", "content": "Be brief.\n\nWhy?"}, SO, HOW]  # where there is no system role

PROMPTS = {
    "qwen3": (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n"
        "<|im_start|>assistant\nSo [1].<|im_end|>\n<|im_start|>user\nAnd how?<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n\n</think>\n\n"
    ),
    "qwen2.5": (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n"
        "<|im_start|>assistant\nSo [1].<|im_end|>\n<|im_start|>user\nAnd how?<|im_end|>\n"
        "<|im_start|>assistant\n"
    ),
    "gemma2": (
        "<bos><start_of_turn>user\nBe brief.\n\nWhy?<end_of_turn>\n"
        "<start_of_turn>model\nSo [1].<end_of_turn>\n"
        "<start_of_turn>user\nAnd how?<end_of_turn>\n<start_of_turn>model\n"
    ),
    "gemma3": (
        "<bos><start_of_turn>user\nBe brief.\n\nWhy?<end_of_turn>\n"
        "<start_of_turn>model\nSo [1].<end_of_turn>\n"
        "<start_of_turn>user\nAnd how?<end_of_turn>\n<start_of_turn>model\n"
    ),
    "llama3": (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nSo [1].<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nAnd how?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    ),
    "phi3.5": (
        "<|system|>\nBe brief.<|end|>\n<|user|>\nWhy?<|end|>\n"
        "<|assistant|>\nSo [1].<|end|>\n<|user|>\nAnd how?<|end|>\n<|assistant|>\n"
    ),
    "mistral-7b": "<s>[INST] Be brief.\n\nWhy? [/INST]So [1].</s>[INST] And how? [/INST]",
    "mistral-nemo": "<s>[INST]Why?[/INST]So [1].</s>[INST]Be brief.\n\nAnd how?[/INST]",
}


@pytest.fixture(scope="module")
def file_of(write_model: Callable[..., Path]) -> Callable[[Family], Path]:
    """The GGUF file of a family, written once."""
    files: dict[str, Path] = {}

    def file_of(family: Family) -> Path:
        if family.name not in files:
            files[family.name] = write_model(
                chat_template=family.template,
                has_chatml=False,
                control=family.control,
                bos=family.bos,
                eos=family.eos,
                adds_bos=family.adds_bos,
                space_prefix=False,
            )
        return files[family.name]

    return file_of


def render(*wanted: tuple[Path, Chat, bool]) -> list[Rendered]:
    """What the child's code makes of chats: the prompt's text, its BOS tokens, whether it opens a thought."""
    asked = json.dumps([(str(path), chat, thinking) for path, chat, thinking in wanted])
    done = subprocess.run(
        [sys.executable, "-c", RENDER], cwd=ROOT, input=asked, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    found: list[Rendered] = json.loads(done.stdout)
    return found


@each_family
def test_a_prompt_is_what_the_template_renders(family: Family, file_of: Callable[[Family], Path]) -> None:
    path = file_of(family)
    chats = [[WHY], [SYSTEM, WHY], HISTORY, [WHY, SO, HOW]]
    taken = [[WHY], MOVED[:1], MOVED, [WHY, SO, HOW]] if family.system == "none" else chats
    wanted = [(chat, thinking) for thinking in (False, True) for chat in taken]
    got = render(*[(path, chat, thinking) for thinking in (False, True) for chat in chats])
    assert [one["text"] for one in got] == [
        family.expected(chat, thinking=thinking) for chat, thinking in wanted
    ]
    assert [one["bos"] for one in got] == [int(family.adds_bos)] * len(got)
    assert got[2]["text"] == PROMPTS[family.name]


@each_family
def test_two_questions_in_a_row_reach_every_family(family: Family, file_of: Callable[[Family], Path]) -> None:
    (got,) = render((file_of(family), [SYSTEM, WHY, HOW], False))
    joined = [SYSTEM, {"role": "user", "content": "Why?\n\nAnd how?"}]
    taken = (
        [{"role": "user", "content": "Be brief.\n\nWhy?\n\nAnd how?"}] if family.system == "none" else joined
    )
    assert got["text"] == family.expected(taken if family.alternates else [SYSTEM, WHY, HOW])
    assert got["text"].count("Be brief.") == 1


@each_family
def test_the_rules_sources_and_question_of_an_answer_reach_every_family(
    family: Family, file_of: Callable[[Family], Path]
) -> None:
    chat = plain(prompt_messages("Is the king in?", [evidence(1, "The king is in.")], "n0nce"))
    (got,) = render((file_of(family), chat, False))
    rules, question = (message["content"] for message in chat)
    assert got["text"].count(rules) == got["text"].count(question) == 1
    assert got["text"].index(rules) < got["text"].index(question)
    assert not got["thinking"]


def test_a_family_that_can_reason_does_so_only_where_it_is_wanted(
    file_of: Callable[[Family], Path],
) -> None:
    path = file_of(BY_NAME["qwen3"])
    off, on = render((path, [WHY], False), (path, [WHY], True))
    assert off["text"] == on["text"] + "<think>\n\n</think>\n\n"
    assert on["text"].endswith("<|im_start|>assistant\n")
    chat = [SystemMessage("Be brief."), HumanMessage("Why?")]
    with LlamaCpp(model_path=path, threads=1) as usual, LlamaCpp(model_path=path, thinking=True) as thorough:
        assert usual.count_prompt_tokens(chat) > thorough.count_prompt_tokens(chat)


def test_a_thought_of_an_earlier_answer_is_not_read_again(file_of: Callable[[Family], Path]) -> None:
    thought = {"role": "assistant", "content": "<think>\nHm.\n</think>\n\nSo [1]."}
    path = file_of(BY_NAME["qwen3"])
    with_thought, without = render((path, [WHY, thought, HOW], False), (path, [WHY, SO, HOW], False))
    assert with_thought == without


@pytest.mark.parametrize("name", ["gemma2", "gemma3", "mistral-7b", "mistral-nemo"])
def test_a_chat_that_begins_with_an_answer_is_refused_in_words(
    name: str, file_of: Callable[[Family], Path]
) -> None:
    (got,) = render((file_of(BY_NAME[name]), [SO, WHY], False))
    assert got == {"error": "its chat template refuses these messages (Conversation roles must alternate)"}


def test_a_template_that_drops_the_system_role_gets_it_in_the_first_question(
    write_model: Callable[..., Path],
) -> None:
    """As the template of the first Phi 3 does."""
    template = (
        "{% for message in messages %}{% if message.role != 'system' %}"
        "{{ '<|im_start|>' ~ message.role ~ '\\n' ~ message.content ~ '<|im_end|>\\n' }}"
        "{% endif %}{% endfor %}"
    )
    path = write_model(chat_template=template, space_prefix=False)
    (got,) = render((path, HISTORY, False))
    assert got["text"] == (
        "<s><|im_start|>user\nBe brief.\n\nWhy?<|im_end|>\n<|im_start|>assistant\nSo [1].<|im_end|>\n"
        "<|im_start|>user\nAnd how?<|im_end|>\n"
    )


@pytest.mark.parametrize(
    ("adds_bos", "begins_with_it", "times"),
    [(True, False, 1), (True, True, 1), (False, True, 1), (False, False, 0)],
)
def test_bos_comes_once_where_the_file_or_its_template_says_so(
    write_model: Callable[..., Path], adds_bos: bool, begins_with_it: bool, times: int
) -> None:
    template = "{{ bos_token }}" * begins_with_it + "{{ messages[0].content }}"
    path = write_model(chat_template=template, adds_bos=adds_bos, space_prefix=False)
    (got,) = render((path, [WHY], False))
    assert (got["bos"], got["text"]) == (times, "<s>" * times + "Why?")
