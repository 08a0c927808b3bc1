"""Settings, in rising order: defaults, a TOML file, RAG_APP_* variables, command-line flags."""

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ingestion.encoders import Precision
from ingestion.errors import InvalidInput, UnknownName
from ingestion.parsing import ParseLimits
from ingestion.storage.catalogue.catalogue import DEFAULT_COLLECTION
from rag_app.config.logging import Level
from rag_app.config.logins import read_logins
from rag_app.config.ports import is_loopback
from rag_app.config.sampling import Sampling
from retrievers.reranking import RERANK_DEPTH, RerankLimits
from retrievers.search import MAX_TOP_K
from retrievers.strategies import DEFAULT_STRATEGY

CONFIG_VARIABLE = "RAG_APP_CONFIG"

_PARSE = ParseLimits()
# A token that nobody guesses, in what a header can carry.
_TOKEN = re.compile(r"[\x21-\x7e]{16,512}")
# They become arguments and file names of another program.
_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

SPEED_FILE = "prefill-speeds.json"  # beside the models


def config_file() -> Path:
    """Return where the TOML file is looked for; it need not exist unless the variable names it."""
    named = os.environ.get(CONFIG_VARIABLE)
    return Path(named) if named else platformdirs.user_config_path("rag-app") / "config.toml"


class Settings(BaseSettings):
    """What a person can set. Each field is a key of the TOML file and a variable RAG_APP_<FIELD>."""

    model_config = SettingsConfigDict(
        env_prefix="RAG_APP_", env_ignore_empty=True, extra="forbid", frozen=True
    )

    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("rag-app"), description="where the library lies"
    )
    collection: str = Field(DEFAULT_COLLECTION, description="the collection used when none is named")
    strategy: str = Field(DEFAULT_STRATEGY, description="how passages are found when nothing is chosen")
    reranker: str | None = Field(None, description="folder or hub name of a cross-encoder, or none")
    rerank_depth: int = Field(RERANK_DEPTH, ge=1, le=MAX_TOP_K, description="passages that a reranker reads")
    rerank_seconds: float = Field(
        20.0, gt=0, description="a reranker that takes longer leaves the rest of the passages in their order"
    )
    top_k: int = Field(8, ge=1, le=MAX_TOP_K, description="passages found for a question")

    encoder_precision: Precision = Field(
        "fp32", description="int8 encodes faster and a little less exactly; rag-app reindex after a change"
    )

    llm: str = Field(
        "auto",
        description="auto, extractive, a name from models.txt, a GGUF file, or http://HOST:PORT/v1#MODEL",
    )
    llm_api_key: SecretStr | None = Field(
        None, description="for the server that llm names; sent nowhere else"
    )
    llm_context_tokens: int | None = Field(None, ge=256, description="context window; none: the model's own")
    llm_max_tokens: int = Field(512, ge=1, description="longest answer, in tokens")
    llm_temperature: float = Field(0.0, ge=0.0, le=2.0, description="0: the likeliest words, always the same")
    llm_seed: int = Field(0, ge=0, lt=2**32, description="for a temperature above 0")
    llm_top_p: float = Field(
        0.95, ge=0.0, le=1.0, description="of the likeliest words, those that make up this share"
    )
    llm_top_k: int = Field(40, ge=0, description="of the likeliest words, this many; 0: all")
    llm_min_p: float = Field(
        0.05, ge=0.0, le=1.0, description="drops words less likely than this share of the best"
    )
    llm_repeat_penalty: float = Field(1.0, gt=0.0, le=10.0, description="above 1: fewer repetitions")
    llm_thinking: bool = Field(
        False, description="whether models like Qwen3 think first: slower, sometimes better"
    )
    llm_max_waiting: int = Field(16, ge=0, description="questions that may wait while one is answered")
    evidence_tokens: int | None = Field(
        None,
        ge=50,
        description="evidence put before the LLM, in its tokens; none: what it reads in about 10 s",
    )
    summary_passages: int = Field(
        2000, ge=1, description="passages that an LLM reads for a summary; of more, so many at even distances"
    )
    # Calibrated on questions with and without an answer: docs/decisions/2026-11-22-when-to-abstain.md.
    answer_threshold: float = Field(
        0.54, ge=-1.0, le=1.0, description="least relevance of the evidence at which a question is answered"
    )

    log_level: Level | None = Field(
        None, description="least level of the log's lines; none: WARNING on standard error, INFO in the file"
    )
    keep_receipts: bool = Field(
        True, description="whether rag-app keeps what each answer was made of, for rag-app replay"
    )

    # Each limit keeps one file from taking the machine, and is far above what honest documents need.
    max_file_mb: int = Field(
        _PARSE.max_bytes // 10**6,
        ge=1,
        description="largest file: the PDF fallback holds it several times over",
    )
    max_pages: int = Field(
        _PARSE.max_pages,
        ge=1,
        description="pages a file may declare: a few bytes can declare thousand millions",
    )
    max_page_characters: int = Field(
        _PARSE.max_page_characters, ge=1, description="characters on one page; a dense page has 10,000"
    )
    max_characters: int = Field(
        _PARSE.max_characters, ge=1, description="characters of a whole file: all of them are held in memory"
    )
    parse_memory_mb: int = Field(
        _PARSE.memory_bytes // 2**20, ge=128, description="memory of the process that reads a file (Linux)"
    )
    parse_cpu_seconds: int = Field(
        _PARSE.cpu_seconds, ge=1, description="processor time to read a file's text; recognition counts apart"
    )
    parse_seconds: float = Field(
        _PARSE.wall_seconds, gt=0, description="time to read a file, recognition left out, on a busy machine"
    )
    page_seconds: float = Field(
        _PARSE.page_seconds,
        gt=0,
        description="time for one page, so that one that hangs leaves the others some",
    )
    parse_restarts: int = Field(
        _PARSE.restarts,
        ge=0,
        description="pages that may crash or hang before the rest of a file is given up",
    )
    outline_seconds: float = Field(
        _PARSE.outline_seconds,
        gt=0,
        description="time for title and outline, which are left out if it is over",
    )
    ocr_languages: Annotated[tuple[str, ...], NoDecode] = Field(
        _PARSE.ocr_languages,
        description="tesseract's names, likeliest first: eng,deu; none: no recognition",
    )
    ocr_seconds: float = Field(
        _PARSE.ocr_seconds, gt=0, description="time to recognise a page; a dense one takes 3 to 15 s"
    )
    ocr_pages: int = Field(
        _PARSE.ocr_pages, ge=0, description="pages recognised in a file: 500 take half an hour on two cores"
    )

    host: str = Field("127.0.0.1", description="address that the page is served on")
    port: int = Field(7860, ge=0, le=65535, description="its port, or the next free one; 0: any")
    api_token: SecretStr | None = Field(
        None, description="token of the API that lasts; needed where other machines can reach the host"
    )
    auth: SecretStr | None = Field(
        None, description="NAME:PASSWORD, a line a person, to open the page; needed as api_token is"
    )

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        """Expand ~, as no shell does in a file, and keep the place when the process changes its folder."""
        return folder.expanduser().absolute()

    @field_validator("ocr_languages", mode="before")
    @classmethod
    def _listed(cls, languages: Any) -> Any:
        """Take eng,deu and eng+deu apart, as a variable has them."""
        if not isinstance(languages, str):
            return languages
        names = tuple(filter(None, re.split(r"[,+\s]+", languages)))
        return () if names == ("none",) else names

    @field_validator("ocr_languages")
    @classmethod
    def _names(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        for name in languages:
            if not _LANGUAGE.fullmatch(name):
                raise ValueError(f"{name!r} is no language of tesseract's; they look like eng or chi_sim")
        return languages

    @field_validator("api_token")
    @classmethod
    def _hard_to_guess(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not _TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("a token is 16 to 512 letters, digits and signs without spaces")
        return token

    @field_validator("auth")
    @classmethod
    def _each_has_a_password(cls, people: SecretStr | None) -> SecretStr | None:
        if people is not None:
            read_logins(people.get_secret_value())
        return people

    @property
    def logins(self) -> dict[str, str]:
        """The passwords of those who may open the page, by name; nobody's where everybody may."""
        people = self.secret("auth")
        return {} if people is None else read_logins(people)

    @property
    def visitors_are_trusted(self) -> bool:
        """Whether whoever opens the page has this machine anyway: it may then name files and servers."""
        return is_loopback(self.host) and self.auth is None

    def secret(self, name: str) -> str | None:
        """Return the text of a setting that is a secret, None where it is not set."""
        value = getattr(self, name)
        return value.get_secret_value() if isinstance(value, SecretStr) else None

    @property
    def limits(self) -> ParseLimits:
        """The limits for parsing one file."""
        return ParseLimits(
            max_bytes=self.max_file_mb * 10**6,
            max_pages=self.max_pages,
            max_page_characters=self.max_page_characters,
            max_characters=self.max_characters,
            memory_bytes=self.parse_memory_mb * 2**20,
            cpu_seconds=self.parse_cpu_seconds,
            wall_seconds=self.parse_seconds,
            page_seconds=self.page_seconds,
            restarts=self.parse_restarts,
            outline_seconds=self.outline_seconds,
            ocr_languages=self.ocr_languages,
            ocr_seconds=self.ocr_seconds,
            ocr_pages=self.ocr_pages,
        )

    @property
    def rerank_limits(self) -> RerankLimits:
        """How much of a list is reranked."""
        return RerankLimits(self.rerank_depth, self.rerank_seconds)

    @property
    def sampling(self) -> Sampling:
        """How a language model chooses its words."""
        return Sampling(
            temperature=self.llm_temperature,
            top_p=self.llm_top_p,
            top_k=self.llm_top_k,
            min_p=self.llm_min_p,
            repeat_penalty=self.llm_repeat_penalty,
            seed=self.llm_seed,
        )

    @property
    def speed_file(self) -> Path:
        """Where it is kept how fast models read on this machine."""
        return self.models_folder / SPEED_FILE

    @property
    def models_folder(self) -> Path:
        """Where pulled models lie, and where `auto` looks for a GGUF file."""
        return self.data_dir / "models"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = TomlConfigSettingsSource(settings_cls, toml_file=config_file())
        return init_settings, env_settings, toml


# Not shown, not even where they are wrong.
_SECRETS = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}


def load_settings(**flags: Any) -> Settings:
    """Return the settings; flags that are None count as not given.

    Raises InvalidInput naming the setting, its value and what is allowed.
    """
    if os.environ.get(CONFIG_VARIABLE) and not config_file().exists():
        raise InvalidInput(
            f"there is no settings file {config_file()}, which {CONFIG_VARIABLE} names; "
            "mend the variable or unset it"
        )
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            near = get_close_matches(name, Settings.model_fields, n=1)
            advice = f"{f'The nearest is {near[0]}. ' if near else ''}Mend it in {config_file()}"
            raise UnknownName("setting", name, Settings.model_fields, advice=advice) from error
        given = "what is given (not shown, it is secret)" if name in _SECRETS else repr(first.get("input"))
        raise InvalidInput(
            f"the setting {name} cannot be {given}: {first['msg']}; "
            f"mend it in {config_file()}, in RAG_APP_{name.upper()}, or on the command line"
        ) from error
    except (ValueError, OSError) as error:  # TOML that cannot be read
        raise InvalidInput(
            f"the settings file {config_file()} cannot be read: {error}; mend or remove it"
        ) from error
