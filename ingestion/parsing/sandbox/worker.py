"""The child process: limits itself, reads a file, sends frames; ends, or reads the next small file.

The limits are set here, not by the parent before exec: `preexec_fn` can deadlock a process with threads.
"""

import ctypes
import math
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator
from typing import BinaryIO

from ingestion.documents import Status
from ingestion.parsing.formats import IMAGE_SUFFIXES, reader
from ingestion.parsing.frames import (
    ChildRequest,
    Frame,
    PageBegun,
    Refusal,
    RefusalError,
    Served,
    write_frame,
)
from ingestion.parsing.limits import ParseLimits, recognition_threads

STDIN, STDOUT, STDERR = 0, 1, 2
PR_SET_PDEATHSIG = 1  # linux/prctl.h
MEBIBYTE = 1024**2


def main() -> None:
    """Serve the request on stdin, and those that follow while it `stays`; end the process. Never returns."""
    request = ChildRequest.decode(sys.stdin.buffer.readline())
    _limit_self(request.limits)
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    _die_with_parent(request.parent, requests)
    with _frame_stream() as stream:
        while _serve(request, stream) and request.stays:
            write_frame(stream, Served())
            request = ChildRequest.decode(requests.get())
            _limit_processor_time(time.process_time() + request.limits.cpu_seconds)
    os._exit(0)  # skips PDFium's destructors, which a broken file can crash, and does not wait for the thread


def _serve(request: ChildRequest, stream: BinaryIO) -> bool:
    """Send the frames of a file; return whether it was read without a fault."""
    try:
        for frame in _read(request):
            if isinstance(frame, PageBegun) and frame.recognise:
                _allow_a_recognition(request.limits)
            write_frame(stream, frame)
        return True
    except RefusalError as refusal:
        write_frame(stream, Refusal(refusal.status, refusal.error))
    except MemoryError:
        write_frame(stream, Refusal(Status.FAILED, _out_of_memory(request)))
    except RecursionError:
        write_frame(stream, Refusal(Status.FAILED, f"{request.file.name!r} is nested too deeply to be read"))
    except BrokenPipeError:
        os._exit(1)  # the parent has gone or has enough
    return False


def _read(request: ChildRequest) -> Iterator[Frame]:
    # Imported here, under the limits, and only the one that is needed.
    is_image = request.suffix in IMAGE_SUFFIXES
    if request.drawing and is_image:
        from ingestion.parsing.images.drawing import draw_image

        return draw_image(request.file, request.drawing)
    if request.drawing:
        from ingestion.parsing.pdf.drawing import draw

        return draw(request.file, request.drawing, request.password)
    if request.unpack:
        from ingestion.parsing.formats import sender

        return sender(request.suffix)(request.file, request.password, request.limits)
    done, failed = frozenset(request.done), frozenset(request.failed)
    if is_image:
        from ingestion.parsing.images.reader import read_image

        return read_image(request.file, request.limits, done, failed)
    if request.suffix == ".pdf":
        from ingestion.parsing.pdf.reader import read_pdf

        return read_pdf(
            request.file,
            password=request.password,
            limits=request.limits,
            done=done,
            failed=failed,
        )
    return reader(request.suffix, request.encoding)(request.file, request.limits)


def _out_of_memory(request: ChildRequest) -> str:
    return (
        f"{request.file.name!r} needs more than the {request.limits.memory_bytes // MEBIBYTE} MiB of memory "
        "that a file may take; split it, or raise the limit"
    )


def _frame_stream() -> BinaryIO:
    """The pipe to the parent. Everything else that is printed to stdout from now on goes to stderr."""
    stream = os.fdopen(os.dup(STDOUT), "wb")
    os.dup2(STDERR, STDOUT)
    return stream


def _limit_self(limits: ParseLimits) -> None:
    if sys.platform == "win32":
        return  # no such limits there; the parent's wall clock and the page limits remain
    import resource

    _set_limit(resource.RLIMIT_CORE, 0)
    _set_limit(resource.RLIMIT_CPU, limits.cpu_seconds, keep_hard=True)
    if sys.platform == "linux":  # macOS accepts RLIMIT_AS and ignores or refuses it
        _set_limit(resource.RLIMIT_AS, limits.memory_bytes)


def _set_limit(kind: int, amount: int, *, keep_hard: bool = False) -> None:
    """Limit a resource. At the hard limit of processor time the signal gives no reason (SIGKILL): keep it."""
    import resource

    _, hard = resource.getrlimit(kind)
    soft = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
    resource.setrlimit(kind, (soft, hard if keep_hard else soft))


def _allow_a_recognition(limits: ParseLimits) -> None:
    """Raise the limit of processor time: drawing hundreds of pages takes more than reading ten thousand."""
    recognition = limits.ocr_seconds * recognition_threads()
    _limit_processor_time(time.process_time() + limits.page_seconds + recognition)


def _limit_processor_time(seconds: float) -> None:
    """Allow this process so many seconds in all, from its start."""
    if sys.platform == "win32":
        return
    import resource

    _set_limit(resource.RLIMIT_CPU, math.ceil(seconds), keep_hard=True)


def _die_with_parent(parent: int, requests: "queue.SimpleQueue[bytes]") -> None:
    """End this process when its parent ends, even by kill -9.

    Linux sends a signal. On other systems, and as a second way, stdin ends with the parent. (The signal also
    comes when only the thread that started this process ends, but that thread outlives this process.)
    """
    if sys.platform == "linux":
        import signal

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if hasattr(os, "getppid") and sys.platform != "win32" and os.getppid() != parent:
        os._exit(1)  # it ended before the signal was set
    threading.Thread(target=_read_stdin, args=(requests,), daemon=True).start()


def _read_stdin(requests: "queue.SimpleQueue[bytes]") -> None:
    """Take further requests, a line each; end with the parent."""
    # os.read, not sys.stdin: a thread inside a buffered reader cannot be left behind at exit.
    line = b""
    while data := os.read(STDIN, 4096):
        line += data
        if line.endswith(b"\n"):
            requests.put(line)
            line = b""
    os._exit(1)


if __name__ == "__main__":
    main()
