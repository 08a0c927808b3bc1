"""How a verb's call becomes an address."""

import pytest

from rag_app.service.protocol import Service
from rag_app.service.verbs import Verb, verbs_of


@pytest.fixture
def tables() -> Verb:
    """A verb with a parameter in its path, and another that may be left out."""
    return next(verb for verb in verbs_of(Service) if verb.name == "tables")


def test_parameters_go_into_the_path_or_the_query(tables: Verb) -> None:
    assert tables.url({"document_id": "a/b", "page": 3}) == "/documents/a%2Fb/tables?page=3"


@pytest.mark.parametrize("arguments", [{"document_id": "a"}, {"document_id": "a", "page": None}])
def test_a_parameter_that_is_none_is_not_sent(tables: Verb, arguments: dict[str, object]) -> None:
    assert tables.url(arguments) == "/documents/a/tables"
