"""Long work, one at a time."""

import threading
from collections.abc import Iterator

import pytest

from ingestion.errors import Cancelled, InvalidInput, LibraryDamaged, UnknownName
from ingestion.library import Library
from rag_app.config.logging import reported_as
from rag_app.config.settings import Settings
from rag_app.contract.requests import TaskRequest
from rag_app.service.composition import Assistant
from rag_app.service.maintenance import work_of
from rag_app.tasks import Control, Tasks, TaskState


@pytest.fixture
def tasks() -> Iterator[Tasks]:
    made = Tasks()
    yield made
    made.close()


def until_cancelled(control: Control) -> dict[str, int]:
    waiting = threading.Event()
    while not control.cancelled():
        waiting.wait(0.001)
    raise Cancelled("waiting")


def test_a_task_ends_with_its_result(tasks: Tasks) -> None:
    def work(control: Control) -> dict[str, int]:
        control.report("counting", 3, 4)
        return {"found": 7}

    started = tasks.start("verify", work)
    ended = tasks.wait(started.id)
    assert (ended.kind, ended.state, ended.result, ended.error) == ("verify", "done", {"found": 7}, None)
    assert (ended.stage, ended.done, ended.total) == ("counting", 3, 4)
    assert ended.finished is not None
    assert tasks.get(started.id) == ended
    assert tasks.all() == [ended]


def test_one_at_a_time_until_it_is_cancelled(tasks: Tasks) -> None:
    first = tasks.start("verify", until_cancelled)
    with pytest.raises(Exception, match="verify runs since"):
        tasks.start("repair", lambda _: {})
    assert tasks.cancel(first.id).id == first.id
    assert tasks.wait(first.id).state is TaskState.CANCELLED
    second = tasks.start("repair", lambda _: {})
    assert tasks.wait(second.id).state is TaskState.DONE


def test_what_a_task_raises_is_kept_and_a_fault_is_logged(
    tasks: Tasks, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(error: Exception) -> Exception | None:
        def work(_: Control) -> dict[str, int]:
            raise error

        ended = tasks.wait(tasks.start("verify", work).id)
        assert (ended.state, ended.result) == ("failed", None)
        return ended.error

    expected, fault = LibraryDamaged("a segment"), ZeroDivisionError("ours")
    assert fails(expected) is expected
    assert not [one for one in caplog.records if one.levelname == "ERROR"]
    assert fails(fault) is fault
    (record,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert record.exc_info
    assert record.exc_info[1] is fault
    assert reported_as(fault)


def test_the_last_ones_are_remembered(tasks: Tasks) -> None:
    ids = [tasks.wait(tasks.start("verify", lambda _: {}).id).id for _ in range(25)]
    assert [task.id for task in tasks.all()] == ids[-20:]
    with pytest.raises(UnknownName, match=ids[0]):
        tasks.get(ids[0])
    with pytest.raises(UnknownName, match="'none'"):
        tasks.cancel("none")


def test_closing_stops_what_runs() -> None:
    tasks = Tasks()
    running = tasks.start("verify", until_cancelled)
    tasks.close()
    assert tasks.get(running.id).state is TaskState.CANCELLED


@pytest.mark.parametrize("fault", [MemoryError(), SystemExit(1), KeyboardInterrupt()], ids=repr)
def test_whatever_ends_a_task_the_next_one_can_start(fault: BaseException) -> None:
    def work(_: Control) -> dict[str, int]:
        raise fault

    tasks = Tasks()
    for _ in range(2):
        identity = tasks.start("verify", work).id
        tasks.wait(identity)
        task = tasks.get(identity)
        assert task.state is TaskState.FAILED
        assert type(fault).__name__ in repr(task.error)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "verify", "file": "x"}, "verify takes nothing else; leave out file"),
        ({"kind": "import", "file": "x", "originals": True}, "import takes file; leave out originals"),
        ({"kind": "export"}, "export takes a file"),
        ({"kind": "import", "file": ""}, "a path is text"),
        ({"kind": "reindex", "remove": True, "model": "x"}, "without a model"),
    ],
)
def test_requests_that_make_no_sense(library: Library, fields: dict[str, object], said: str) -> None:
    assistant = Assistant(Settings(data_dir=library.folder), library)
    with pytest.raises(InvalidInput, match=said):
        work_of(library, TaskRequest.of(**fields), assistant.settings, assistant.evaluations)
