"""Settings. Each source overrides the one before: defaults, a TOML file, RAG_APP_* variables, flags."""

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ingestion.errors import InvalidInput, UnknownName
from ingestion.parsing import ParseLimits
from ingestion.storage.catalogue.catalogue import DEFAULT_COLLECTION
from rag_app.config.connections import ConnectionSettings
from rag_app.config.hardware import HardwareSettings
from rag_app.config.logging import Level
from rag_app.config.logins import read_logins
from rag_app.config.model_servers import ModelServerSettings
from rag_app.config.ports import is_loopback
from rag_app.config.sampling import Sampling
from retrievers.reranking import RERANK_DEPTH, RerankLimits
from retrievers.search import MAX_TOP_K
from retrievers.strategies import DEFAULT_STRATEGY

CONFIG_VARIABLE = "RAG_APP_CONFIG"

_PARSE = ParseLimits()
# Long enough not to be guessed, in characters that a header can carry.
_TOKEN = re.compile(r"[\x21-\x7e]{16,512}")
# tesseract takes languages as arguments and file names.
_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

SPEED_FILE = "prefill-speeds.json"  # beside the models


def config_file() -> Path:
    """Return the TOML file's path. The file is optional unless RAG_APP_CONFIG names it."""
    named = os.environ.get(CONFIG_VARIABLE)
    return Path(named) if named else platformdirs.user_config_path("rag-app") / "config.toml"


class Settings(HardwareSettings, ModelServerSettings, ConnectionSettings, BaseSettings):
    """All settings. Each field is a key of the TOML file and a variable RAG_APP_<FIELD>."""

    model_config = SettingsConfigDict(
        env_prefix="RAG_APP_", env_ignore_empty=True, extra="forbid", frozen=True
    )

    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("rag-app"), description="folder of the library"
    )
    collection: str = Field(DEFAULT_COLLECTION, description="default collection")
    strategy: str = Field(DEFAULT_STRATEGY, description="default strategy")
    reranker: str | None = Field(
        None, description="default reranker: folder or hub name of a cross-encoder; none: no reranking"
    )
    rerank_depth: int = Field(RERANK_DEPTH, ge=1, le=MAX_TOP_K, description="passages that are reranked")
    rerank_seconds: float = Field(
        20.0, gt=0, description="time limit of reranking; the passages that are left keep their order"
    )
    top_k: int = Field(8, ge=1, le=MAX_TOP_K, description="number of passages found for a question")

    llm: str = Field(
        "auto",
        description="auto, extractive, a name from models.txt, a GGUF file, or http://HOST:PORT/v1#MODEL",
    )
    llm_api_key: SecretStr | None = Field(
        None, description="API key of the server that llm names; sent to no other server"
    )
    llm_context_tokens: int | None = Field(
        None, ge=256, description="context window in tokens; none: the model's own"
    )
    llm_threads: int | None = Field(
        None, ge=1, description="threads of the LLM; none: one for each physical core"
    )
    llm_max_tokens: int = Field(512, ge=1, description="longest answer, in tokens")
    llm_temperature: float = Field(0.0, ge=0.0, le=2.0, description="0: always the likeliest token")
    llm_seed: int = Field(0, ge=0, lt=2**32, description="random seed for a temperature above 0")
    llm_top_p: float = Field(
        0.95,
        ge=0.0,
        le=1.0,
        description="samples from the likeliest tokens whose probabilities add up to this",
    )
    llm_top_k: int = Field(40, ge=0, description="samples from this many of the likeliest tokens; 0: all")
    llm_min_p: float = Field(
        0.05, ge=0.0, le=1.0, description="drops tokens less likely than this share of the likeliest"
    )
    llm_repeat_penalty: float = Field(1.0, gt=0.0, le=10.0, description="above 1: fewer repetitions")
    llm_thinking: bool = Field(
        False, description="whether models like Qwen3 reason first: slower, sometimes better"
    )
    llm_max_waiting: int = Field(16, ge=0, description="most questions that wait while one is answered")
    llm_silence_seconds: float = Field(60.0, ge=5, description="silence that ends a frozen model's process")
    evidence_tokens: int | None = Field(
        None,
        ge=50,
        description="evidence in the prompt, in tokens of the LLM; none: as much as it reads in about 10 s",
    )
    summary_passages: int = Field(
        2000,
        ge=1,
        description="most passages that an LLM reads for a summary, spread evenly over the documents",
    )
    # The curves of each data set: docs/answers.md.
    answer_threshold: float = Field(
        0.2,
        ge=0.0,
        le=1.0,
        description="least probability that the documents answer, 0 to 1; below it, the application abstains",
    )

    log_level: Level | None = Field(
        None,
        description="least level of log lines; none: WARNING on standard error for serve, INFO in its file",
    )
    keep_receipts: bool = Field(
        True, description="whether a receipt of each answer is kept, for rag-app replay"
    )

    # Each limit keeps a single file from exhausting the machine, and is far above what real documents need.
    max_file_mb: int = Field(
        _PARSE.max_bytes // 10**6,
        ge=1,
        description="largest file; the PDF fallback holds a file in memory several times",
    )
    max_pages: int = Field(
        _PARSE.max_pages,
        ge=1,
        description="most pages that a file may declare; a few bytes can declare a billion",
    )
    max_page_characters: int = Field(
        _PARSE.max_page_characters, ge=1, description="most characters on a page; a dense page has 10,000"
    )
    max_characters: int = Field(
        _PARSE.max_characters, ge=1, description="most characters in a file; all of them are held in memory"
    )
    parse_memory_mb: int = Field(
        _PARSE.memory_bytes // 2**20, ge=128, description="memory of the process that parses a file (Linux)"
    )
    parse_cpu_seconds: int = Field(
        _PARSE.cpu_seconds, ge=1, description="processor time to parse a file, without text recognition"
    )
    parse_seconds: float = Field(
        _PARSE.wall_seconds,
        gt=0,
        description="time to parse a file on a busy machine, without text recognition",
    )
    page_seconds: float = Field(
        _PARSE.page_seconds,
        gt=0,
        description="time for one page, so that a page that hangs leaves time for the others",
    )
    parse_restarts: int = Field(
        _PARSE.restarts,
        ge=0,
        description="pages that may crash or hang before the rest of the file is skipped",
    )
    outline_seconds: float = Field(
        _PARSE.outline_seconds,
        gt=0,
        description="time for title and outline; after it they are left out",
    )
    ocr_recogniser: Literal["auto", "rapidocr", "tesseract"] = Field(
        "auto",
        description="what reads scanned pages; auto: rapidocr, or tesseract where the languages need it",
    )
    ocr_languages: Annotated[tuple[str, ...], NoDecode] = Field(
        _PARSE.ocr_languages,
        description="languages of scanned pages by tesseract's names: eng,deu; none: no text recognition",
    )
    ocr_seconds: float = Field(
        _PARSE.ocr_seconds,
        gt=0,
        description="time to recognise the text of a page; a dense page takes 3 to 50 s",
    )
    ocr_pages: int = Field(
        _PARSE.ocr_pages,
        ge=0,
        description="most pages recognised in a file; 500 pages take an hour on one core",
    )

    host: str = Field("127.0.0.1", description="address that serve listens on")
    port: int = Field(
        7860, ge=0, le=65535, description="port that serve listens on, or the next free one; 0: any"
    )
    api_token: SecretStr | None = Field(
        None, description="lasting token of the API; required where other machines can reach the host"
    )
    auth: SecretStr | None = Field(
        None, description="logins of the page, a line NAME:PASSWORD for each person; required as api_token is"
    )

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        """Expand ~, which no shell does in a file, and make the path independent of the working directory."""
        return folder.expanduser().absolute()

    @field_validator("ocr_languages", mode="before")
    @classmethod
    def _listed(cls, languages: Any) -> Any:
        """Split eng,deu and eng+deu, the forms in a variable."""
        if not isinstance(languages, str):
            return languages
        names = tuple(filter(None, re.split(r"[,+\s]+", languages)))
        return () if names == ("none",) else names

    @field_validator("ocr_languages")
    @classmethod
    def _names(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        for name in languages:
            if not _LANGUAGE.fullmatch(name):
                raise ValueError(
                    f"{name!r} is not a language name of tesseract; write names like eng or chi_sim"
                )
        return languages

    @field_validator("api_token")
    @classmethod
    def _hard_to_guess(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not _TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("a token has 16 to 512 letters, digits and signs, without spaces")
        return token

    @field_validator("auth")
    @classmethod
    def _each_has_a_password(cls, people: SecretStr | None) -> SecretStr | None:
        if people is not None:
            read_logins(people.get_secret_value())
        return people

    @property
    def logins(self) -> dict[str, str]:
        """The passwords of the page's users, by name; empty where no login is needed."""
        people = self.secret("auth")
        return {} if people is None else read_logins(people)

    @property
    def visitors_are_trusted(self) -> bool:
        """Whether visitors of the page may name files and servers: only this user can open it."""
        return self.is_private and self.auth is None

    @property
    def is_private(self) -> bool:
        """Whether only programs of this machine reach the server, and no proxy passes on what others ask."""
        return is_loopback(self.host) and self.public_url is None

    def secret(self, name: str) -> str | None:
        """Return the text of a secret setting, None where it is not set."""
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
            ocr_recogniser=self.ocr_recogniser,
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
        """How a language model chooses its tokens."""
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
        """The file with the measured reading speeds of models on this machine."""
        return self.models_folder / SPEED_FILE

    @property
    def models_folder(self) -> Path:
        """The folder of pulled models; `auto` looks for a GGUF file in it."""
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


# Never shown, also not in the error about a wrong value.
_SECRETS = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}


def load_settings(**flags: Any) -> Settings:
    """Return the settings. Flags that are None count as not given.

    Raises:
        InvalidInput: A setting is wrong; the message names it, its value and what is allowed.
    """
    if os.environ.get(CONFIG_VARIABLE) and not config_file().is_file():
        raise InvalidInput(
            f"{CONFIG_VARIABLE} names the settings file {config_file()}, which does not exist as a file; "
            "correct the variable or unset it"
        )
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            near = get_close_matches(name, Settings.model_fields, n=1)
            advice = f"{f'Did you mean {near[0]}? ' if near else ''}Correct it in {config_file()}"
            raise UnknownName("setting", name, Settings.model_fields, advice=advice) from error
        given = (
            "the given value (not shown because it is secret)"
            if name in _SECRETS
            else repr(first.get("input"))
        )
        raise InvalidInput(
            f"the setting {name} cannot be {given}: {first['msg']}; "
            f"correct it in {config_file()}, in RAG_APP_{name.upper()}, or on the command line"
        ) from error
    except (ValueError, OSError) as error:  # TOML that cannot be read
        raise InvalidInput(
            f"the settings file {config_file()} cannot be read: {error}; correct or remove it"
        ) from error
