"""How many threads a model gets."""

import os
import subprocess
import sys

import pytest

from rag_app.llm.process.processors import default_threads

PRINTED = "from rag_app.llm.process.processors import default_threads; print(default_threads())"


def test_there_are_no_more_threads_than_processors() -> None:
    assert 1 <= default_threads() <= (os.cpu_count() or 1)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system pins no process to processors")
def test_a_process_of_one_processor_gets_one_thread() -> None:
    pinned = f"import os; os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}}); {PRINTED}"
    done = subprocess.run([sys.executable, "-c", pinned], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
