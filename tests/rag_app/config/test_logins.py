"""Who may open the page: where logins come from, what is refused, and that nobody is shown them."""

from pathlib import Path

import pytest

from ingestion.errors import InvalidInput
from rag_app.config.logins import Logins, read_logins
from rag_app.config.settings import config_file, load_settings
from tests.helpers.commands import Command

PASSWORD = "p:ä ss' \"<word> "


def test_a_password_is_all_after_the_first_colon() -> None:
    assert read_logins(f"ada:{PASSWORD}\r\n\n  Grace Hopper :x\n") == {"ada": PASSWORD, "Grace Hopper": "x"}


def test_the_right_name_and_password_fit_and_nothing_else() -> None:
    logins = Logins({"ada": PASSWORD, "bob": "pa:ss"})
    assert logins.fits("ada", PASSWORD)
    assert logins.fits(" ada ", PASSWORD.replace("ä", "a\u0308"))  # as another keyboard types it
    for name, password in [
        ("ada", "pa:ss"),
        ("bob", PASSWORD),
        ("ada", PASSWORD.strip()),
        ("ada", ""),
        ("", ""),
        ("bob:pa", "ss"),
        ("Ada", PASSWORD),
        ("eve", "\udcff"),
    ]:
        assert not logins.fits(name, password)


def test_they_come_from_a_variable_or_a_file_and_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().logins == {}
    assert load_settings().visitors_are_trusted
    config_file().write_text('auth = """ada:first\nbob:second\n"""\n')
    assert load_settings().logins == {"ada": "first", "bob": "second"}
    monkeypatch.setenv("RAG_APP_AUTH", f"ada:{PASSWORD}")
    settings = load_settings()
    assert settings.logins == {"ada": PASSWORD}
    assert not settings.visitors_are_trusted
    assert (
        PASSWORD.strip()
        not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    )


@pytest.mark.parametrize(
    "people", ["hunter2", "ada:", ":hunter2", "ada:hunter2\nada:other", "ada:x\nhunter2"]
)
def test_what_names_nobody_is_refused_unseen(people: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_APP_AUTH", people)
    with pytest.raises(InvalidInput, match=r"auth.*line [12]") as raised:
        load_settings()
    assert "hunter2" not in str(raised.value)


def test_other_machines_are_not_served_without(run: Command, tmp_path: Path) -> None:
    token, logins = tmp_path / "token", tmp_path / "logins"
    token.write_text("correct-horse-battery-staple\n")
    logins.write_text("ada:secret\n")
    serve = ("--data-dir", tmp_path / "data", "serve", "--host", "0.0.0.0", "--port", 0)
    for given, said, unsaid in [
        ((), ["RAG_APP_API_TOKEN", "RAG_APP_AUTH", "--auth-file", "127.0.0.1"], []),
        (("--api-token-file", token), ["RAG_APP_AUTH"], ["RAG_APP_API_TOKEN"]),
        (("--auth-file", logins), ["RAG_APP_API_TOKEN"], ["RAG_APP_AUTH"]),
        (("--auth", "ada:secret"), ["RAG_APP_API_TOKEN"], ["RAG_APP_AUTH"]),
    ]:
        done = run(*serve, *given)
        assert (done.code, done.out) == (2, "")
        assert all(word in done.err for word in said)
        assert not any(word in done.err for word in [*unsaid, "secret"])
    assert not (tmp_path / "data").exists()


def test_a_proxys_visitors_are_not_served_without(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_APP_PUBLIC_URL", "https://RAG.example.org/")
    done = run("--data-dir", tmp_path / "data", "serve", "--port", 0)
    assert (done.code, done.out) == (2, "")
    assert "https://rag.example.org can be reached from other machines" in done.err
    assert "RAG_APP_AUTH" in done.err
    assert not load_settings().visitors_are_trusted
    monkeypatch.setenv("RAG_APP_PUBLIC_URL", "rag.example.org")
    done = run("--data-dir", tmp_path / "data", "serve", "--port", 0)
    assert (done.code, "write one like https://rag.example.org" in done.err) == (2, True)


def test_a_file_of_logins_that_cannot_be_used(run: Command, tmp_path: Path) -> None:
    for name, content, said in [
        ("missing", None, "cannot be read"),
        ("empty", b"\n", "there is no login"),
        ("binary", b"\xff\xfe\x00", "no text"),
        ("list", b"ada hunter2\n", "line 1 is not NAME:PASSWORD"),
    ]:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        done = run("--data-dir", tmp_path / "data", "serve", "--auth-file", tmp_path / name)
        assert (done.code, done.out) == (2, "")
        assert said in done.err
        assert "hunter2" not in done.err
    both = run("--data-dir", tmp_path / "data", "serve", "--auth", "a:b", "--auth-file", tmp_path / "list")
    assert (both.code, both.out) == (2, "")
    assert "give one of them" in both.err
