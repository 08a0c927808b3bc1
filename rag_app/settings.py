"""Settings, in rising order: defaults, a TOML file, RAG_APP_* variables, command-line flags."""

import os
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ingestion.errors import InvalidInput, UnknownName
from ingestion.parsing import ParseLimits
from ingestion.stores.catalogue import DEFAULT_COLLECTION
from retrievers.search import MAX_TOP_K
from retrievers.strategies import DEFAULT_STRATEGY

CONFIG_VARIABLE = "RAG_APP_CONFIG"


def config_file() -> Path:
    """Return where the TOML file is looked for; it need not exist."""
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
    top_k: int = Field(8, ge=1, le=MAX_TOP_K, description="passages found for a question")

    llm: str = Field("auto", description="auto, extractive, or the path of a GGUF file")
    llm_context_tokens: int | None = Field(None, ge=256, description="context window; none: the model's own")
    llm_max_tokens: int = Field(512, ge=1, description="longest answer, in tokens")
    llm_temperature: float = Field(0.0, ge=0.0, le=2.0)
    llm_seed: int = Field(0, ge=0, lt=2**32)
    # Prefill is what costs most on a CPU: about 1,500 tokens keep it within seconds on small models.
    evidence_tokens: int = Field(1500, ge=50, description="evidence put before the LLM, in its tokens")
    # Calibrated on questions with and without an answer: docs/decisions.md, "When to abstain".
    answer_threshold: float = Field(
        0.60, ge=-1.0, le=1.0, description="least mean MaxSim of the evidence at which a question is answered"
    )

    # Each limit keeps one file from taking the machine; ParseLimits has the reasons.
    max_file_mb: int = Field(ParseLimits().max_bytes // 10**6, ge=1)
    parse_memory_mb: int = Field(ParseLimits().memory_bytes // 2**20, ge=128)
    parse_seconds: float = Field(ParseLimits().wall_seconds, gt=0)

    host: str = "127.0.0.1"
    port: int = Field(7860, ge=0, le=65535)

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        """Expand ~, as no shell does in a file, and keep the place when the process changes its folder."""
        return folder.expanduser().absolute()

    @property
    def limits(self) -> ParseLimits:
        """The limits for parsing one file."""
        return ParseLimits(
            max_bytes=self.max_file_mb * 10**6,
            memory_bytes=self.parse_memory_mb * 2**20,
            wall_seconds=self.parse_seconds,
        )

    @property
    def models_folder(self) -> Path:
        """Where `auto` looks for a GGUF file."""
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


def load_settings(**flags: Any) -> Settings:
    """Return the settings; flags that are None count as not given.

    Raises InvalidInput naming the setting, its value and what is allowed.
    """
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise UnknownName(
                "setting", name, Settings.model_fields, advice=f"Mend it in {config_file()}"
            ) from error
        raise InvalidInput(
            f"the setting {name} cannot be {first.get('input')!r}: {first['msg']}; "
            f"mend it in {config_file()}, in RAG_APP_{name.upper()}, or on the command line"
        ) from error
    except (ValueError, OSError) as error:  # TOML that cannot be read
        raise InvalidInput(
            f"the settings file {config_file()} cannot be read: {error}; mend or remove it"
        ) from error
