"""The chosen model in the settings file."""

from pathlib import Path

from ingestion.errors import InvalidInput, ModelError
from ingestion.regular_files import read_regular
from rag_app.config.settings import config_file
from rag_app.model_store.manifest import write_whole

_LARGEST = 1_000_000  # bytes
# Role → the setting that names its model. `rag-app reindex` uses models of other roles.
SETTING = {"llm": "llm", "reranker": "reranker"}


def write_setting(key: str, value: str) -> Path:
    """Set one key of the settings file, keeping comments and order; return the file."""
    import tomlkit
    from tomlkit.exceptions import ParseError

    path = config_file()
    try:
        text = read_regular(path, _LARGEST).decode() if path.exists() else ""
        document = tomlkit.parse(text)
        document[key] = value
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path.resolve(), tomlkit.dumps(document))
    except (ParseError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"the settings file {path} cannot be read: {error}; correct or remove it"
        ) from error
    except OSError as error:
        raise ModelError(f"the settings file {path} cannot be written: {error.strerror or error}") from error
    return path
