"""Processes to crash and to kill, forked from one that has imported everything: a start takes no time."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

# It has used nothing of what it imported, so that it has no threads, which a fork would lose.
_TEMPLATE = """
import json, os, signal, sys, time
from rag_app.config.environment import stay_offline
stay_offline()
import chromadb, torch, transformers
import ingestion.library, ingestion.pipeline.ingest, ingestion.storage.tokens.maxsim
from transformers import AutoModel, BertModel

print("ready", flush=True)
for line in iter(sys.stdin.readline, ""):
    code, arguments, kill_after = json.loads(line)
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        status = 1
        try:
            sys.argv = ["child", *arguments]
            exec(code, {"__name__": "__main__"})
            status = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


class WarmProcess:
    """Runs pieces of Python, each in a process of its own."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _TEMPLATE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert self._line() == "ready"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def run(self, code: str, arguments: Sequence[str], *, kill_after: float | None = None) -> int:
        """Run `code` with sys.argv[1:]; return its exit code, negative for a signal.

        It is killed with SIGKILL after that many seconds, unless it has ended by then.
        """
        assert self._process.stdin
        self._process.stdin.write(json.dumps([code, list(arguments), kill_after]) + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()
