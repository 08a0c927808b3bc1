"""The API's token that lasts: where it comes from, who it lets in, and that nobody is shown it."""

import json
import shutil
import socket
from pathlib import Path

import pytest

from ingestion.errors import InvalidInput
from rag_app.config.settings import CONFIG_VARIABLE, config_file, load_settings
from tests.helpers.commands import Command
from tests.helpers.served_library import serving_copy

LASTING = "correct-horse-battery-staple"


def test_it_comes_from_a_variable_or_a_file_and_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().secret("api_token") is None
    config_file().write_text(f'api_token = "{LASTING}"\n')
    assert load_settings().secret("api_token") == LASTING
    monkeypatch.setenv("RAG_APP_API_TOKEN", LASTING + "-2")
    settings = load_settings()
    assert settings.secret("api_token") == LASTING + "-2"
    assert LASTING not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize("token", ["short", "with spaces in it, long", "ünïcödé-is-no-header", "x" * 600])
def test_one_that_is_easy_to_guess_or_no_header_is_refused_unseen(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_APP_API_TOKEN", token)
    with pytest.raises(InvalidInput, match=r"api_token.*16 to 512") as raised:
        load_settings()
    assert token not in str(raised.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
def test_other_machines_are_not_served_without_one(run: Command, tmp_path: Path, host: str) -> None:
    done = run("--data-dir", tmp_path / "data", "serve", "--host", host, "--port", 0)
    assert (done.code, done.out) == (2, "")
    assert "RAG_APP_API_TOKEN" in done.err
    assert not (tmp_path / "data").exists()


def test_a_file_of_a_token_that_cannot_be_used(run: Command, tmp_path: Path) -> None:
    for name, content, said in [
        ("missing", None, "cannot be read"),
        ("empty", b"\n", "is empty"),
        ("binary", b"\xff\xfe\x00", "no text"),
        ("short", b"abc\n", "16 to 512"),
    ]:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        done = run(
            "--data-dir", tmp_path / "data", "serve", "--host", "0.0.0.0", "--api-token-file", tmp_path / name
        )
        assert (done.code, done.out) == (2, "")
        assert said in done.err


def test_the_command_prints_it_for_openais_clients(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = ("--data-dir", tmp_path / "data")
    none = run(*library, "token")
    assert (none.code, none.out) == (1, "")
    assert "RAG_APP_API_TOKEN" in none.err
    monkeypatch.setenv("RAG_APP_API_TOKEN", LASTING)
    done = run(*library, "token")
    assert done.out.splitlines() == [
        "export OPENAI_BASE_URL=http://127.0.0.1:7860/v1",
        f"export OPENAI_API_KEY={LASTING}",
    ]
    assert "nothing serves" in done.err
    assert LASTING not in run(*library, "doctor", "--json").out


@pytest.mark.soak
@pytest.mark.slow
def test_a_server_takes_its_own_and_the_one_that_lasts(
    run: Command, stock_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving_copy(stock_template, tmp_path, RAG_APP_API_TOKEN=LASTING) as served:
        for token, status in [(served.token, 200), (LASTING, 200), (LASTING + "x", 401)]:
            headers = {"Authorization": f"Bearer {token}"}
            assert served.ask("GET", "/v1/models", headers=headers)[0] == status
        monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "settings.toml"))
        printed = run("--data-dir", served.data, "token", "--json").json
        assert printed == {
            "schema_version": 1, "url": served.url, "openai_base_url": f"{served.url}/v1",
            "token": served.token, "lasts": False, "serving": True,
        }  # fmt: skip
        assert LASTING not in (served.data / "library.holder").read_text()


def test_the_note_of_a_server_that_is_gone_leads_nobody_astray(
    run: Command, tmp_path: Path, stock_template: Path
) -> None:
    """Another account may listen on the port of a server that was killed."""
    data = shutil.copytree(stock_template, tmp_path / "data")
    note = data / "library.holder"
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.settimeout(0)
        url = f"http://127.0.0.1:{stranger.getsockname()[1]}"
        for command in ("token", "open"):
            note.write_text(json.dumps({"pid": 1, "command": "rag-app serve", "url": url, "token": LASTING}))
            done = run("--data-dir", data, command)
            assert (done.code, done.out) == (1, "")
            assert "nothing serves this library now" in done.err
            with pytest.raises(BlockingIOError):
                stranger.accept()
