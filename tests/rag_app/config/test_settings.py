"""Settings in rising order: defaults, a TOML file, variables, flags."""

from dataclasses import asdict
from pathlib import Path

import pytest

from ingestion.errors import InvalidInput, UnknownName
from ingestion.parsing import ParseLimits
from rag_app.config.settings import CONFIG_VARIABLE, Settings, config_file, load_settings


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    """The settings file that the tests' variable names, empty."""
    assert config_file() == tmp_path / "settings.toml"
    return config_file()


def test_each_source_overrules_the_one_below(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().top_k == 8
    toml.write_text('top_k = 3\nstrategy = "bm25"\nreranker = "some-model"\n')
    assert load_settings().top_k == 3
    monkeypatch.setenv("RAG_APP_TOP_K", "4")
    assert load_settings().top_k == 4
    assert load_settings(top_k=5).top_k == 5
    assert load_settings(top_k=None).top_k == 4  # a flag that was not given
    assert (load_settings().strategy, load_settings().reranker) == ("bm25", "some-model")


def test_an_empty_variable_is_one_that_is_not_set(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml.write_text('data_dir = "/srv/library"\n')
    monkeypatch.setenv("RAG_APP_DATA_DIR", "")
    monkeypatch.setenv("RAG_APP_RERANKER", "")
    assert load_settings().data_dir == Path("/srv/library")
    assert load_settings().reranker is None


def test_the_data_folder_is_absolute_and_may_begin_with_the_home(
    toml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    toml.write_text('data_dir = "~/library"\n')
    assert load_settings().data_dir == tmp_path / "library"
    assert load_settings().models_folder == tmp_path / "library" / "models"
    monkeypatch.chdir(tmp_path)
    assert load_settings(data_dir=Path("here")).data_dir == tmp_path / "here"


def test_the_file_lies_in_the_persons_settings_unless_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CONFIG_VARIABLE)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert config_file().is_relative_to(tmp_path)
    assert config_file().name == "config.toml"
    assert load_settings() == Settings()


def test_a_named_file_that_is_missing_is_an_error(toml: Path) -> None:
    toml.unlink()
    with pytest.raises(InvalidInput, match=r"RAG_APP_CONFIG names .*settings\.toml, which does not exist"):
        load_settings()


def test_the_defaults_are_the_parsers_own() -> None:
    assert load_settings().limits == ParseLimits()


def test_limits_are_given_in_the_units_of_the_parser(toml: Path) -> None:
    limits = load_settings(max_file_mb=3, parse_memory_mb=256, parse_seconds=1.5).limits
    assert (limits.max_bytes, limits.memory_bytes, limits.wall_seconds) == (3_000_000, 256 * 2**20, 1.5)


def test_every_limit_is_a_setting_with_its_reason() -> None:
    """Each setting below differs from the default, and none of them is lost on the way."""
    settings = load_settings(
        max_file_mb=3,
        max_pages=4,
        max_page_characters=5,
        max_characters=6,
        parse_memory_mb=256,
        parse_cpu_seconds=7,
        parse_seconds=8,
        page_seconds=9,
        parse_restarts=10,
        outline_seconds=11,
        ocr_recogniser="tesseract",
        ocr_languages="deu",
        ocr_seconds=12,
        ocr_pages=13,
    )
    limits, defaults = asdict(settings.limits), asdict(ParseLimits())
    assert [name for name in limits if limits[name] == defaults[name]] == []
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("given", "languages"),
    [
        ("eng", ("eng",)),
        ("eng,deu", ("eng", "deu")),
        ("eng+chi_sim", ("eng", "chi_sim")),
        ("eng, deu", ("eng", "deu")),
        ("none", ()),
    ],
)
def test_languages_to_recognise(
    toml: Path, monkeypatch: pytest.MonkeyPatch, given: str, languages: tuple[str, ...]
) -> None:
    monkeypatch.setenv("RAG_APP_OCR_LANGUAGES", given)
    assert load_settings().limits.ocr_languages == languages
    monkeypatch.delenv("RAG_APP_OCR_LANGUAGES")
    toml.write_text(f"ocr_languages = {list(languages)}\n")
    assert load_settings().ocr_languages == languages


@pytest.mark.parametrize("given", ["../eng", "--psm", "e/n"])
def test_what_is_no_language(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("RAG_APP_OCR_LANGUAGES", given)
    with pytest.raises(InvalidInput, match="not a language name of tesseract"):
        load_settings()


def test_an_unknown_key_is_named_beside_those_that_exist(toml: Path) -> None:
    toml.write_text("topk = 3\n")
    with pytest.raises(UnknownName, match=r"no setting named 'topk'; there are: .*top_k.*settings\.toml"):
        load_settings()


def test_a_file_that_is_no_toml_is_named(toml: Path) -> None:
    toml.write_bytes(b"top_k = \xff\n")
    with pytest.raises(InvalidInput, match=r"settings\.toml cannot be read"):
        load_settings()


def test_trusted_proxies_are_addresses_and_networks(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().trusted_proxies == ()
    toml.write_text('trusted_proxies = ["10.0.0.2", "fd00::1/8"]\n')
    assert load_settings().trusted_proxies == ("10.0.0.2/32", "fd00::/8")
    monkeypatch.setenv("RAG_APP_TRUSTED_PROXIES", "127.0.0.1, ::1")
    assert load_settings().trusted_proxies == ("127.0.0.1/32", "::1/128")


@pytest.mark.parametrize("wrong", ["*", "proxy.example", "10.0.0.300", "0.0.0.0/0", "::/0"])
def test_a_proxy_that_is_none_is_refused(toml: Path, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("RAG_APP_TRUSTED_PROXIES", f"10.0.0.2,{wrong}")
    with pytest.raises(InvalidInput, match="trusted_proxies"):
        load_settings()
