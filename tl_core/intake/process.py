"""The web process's handle on one intake process: start, progress, stop, and what came of it."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import msgspec

from tl_core import log, owners, unfinished
from tl_core.intake import messages
from tl_core.intake.limited import ENVIRONMENT
from tl_core.intake.messages import Finished, Last, Request
from tl_core.intake.spool import Spool
from tl_core.limits import MAX_INTAKE_BYTES, MAX_INTAKE_SECONDS, MAX_INTAKES, MB, BadInput
from tl_core.pipe import lines

# Small uploads have places of their own: a burst of the camera never waits for a large zip.
_PLACES: Final = {True: threading.Semaphore(MAX_INTAKES), False: threading.Semaphore(MAX_INTAKES)}
_SMALL: Final = (messages.Burst, messages.Table)

_STOPPED: Final = "Stopped. Nothing of this upload was kept."
_TOO_LONG: Final = (
    f"Reading these files took longer than {MAX_INTAKE_SECONDS // 60} minutes and was ended. "
    "Nothing was kept. Bring fewer or smaller images."
)
_NO_MEMORY: Final = (
    f"Reading these files needs more memory than the {MAX_INTAKE_BYTES // MB} MB that an upload "
    "may take. Nothing was kept. Bring fewer or smaller files."
)
_KILLED: Final = (
    "The system ended the reading of these files, most likely because memory ran out. Nothing was "
    "kept. Try again when less is running, or bring fewer files."
)
_NOT_MOVED: Final = "The pictures cannot be kept on disk ({}). Make room there, then try again."
_BROKE: Final = (
    "Reading these files failed in a way that was not foreseen, and nothing was kept. One of them "
    "is probably damaged: bring them in smaller groups to find which."
)


class Intake:
    """One upload that is being read. Its spool and all that is unfinished go when it ends."""

    def __init__(self, request: Request, spool: Spool, keep_in: Path | None = None) -> None:
        """Begin at once, or as soon as there is a place; the current owner's folders are used.

        `keep_in`: where pictures go that are kept.
        """
        self.progress: tuple[str, float | None] = ("Waiting for other uploads", None)
        self.peak_mb: float | None = None
        self._spool, self._keep_in = spool, keep_in
        self._small = isinstance(request, _SMALL)
        # Put down at once: what waits class by class may change while this waits.
        self._order = messages.encode(messages.Order(owners.current(), spool.mark, request))
        self._roots = [owners.folder("datasets"), owners.folder("weights")]
        self._answer: Last | None = None
        self._fault = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        threading.Thread(target=self._run, daemon=True).start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it has ended, at most so long; return whether it has."""
        return self._ended.wait(seconds)

    def cancel(self) -> None:
        """End it; nothing of it is kept unless it was finished already."""
        self._end(_STOPPED)

    def result(self) -> Finished:
        """Wait for the end and return what was made; raises BadInput with the reason if nothing."""
        self._ended.wait()
        match self._answer:
            case messages.Refused(_, reason, details):
                raise BadInput(reason, details)
            case messages.NoMemory():
                raise BadInput(_NO_MEMORY)
            case messages.Taken() | messages.Waits() | messages.Added() | messages.Read():
                return self._answer
        raise BadInput(self._fault or _BROKE)

    def _end(self, fault: str) -> None:
        with self._lock:
            self._fault = self._fault or fault
            self._stopping.set()
            if self._process is not None:
                _kill(self._process)

    def _run(self) -> None:
        place = _PLACES[self._small]
        try:
            while not place.acquire(timeout=0.1):
                if self._stopping.is_set():
                    return
            try:
                self._follow()
            finally:
                place.release()
        finally:
            self._tidy()
            self._ended.set()

    def _follow(self) -> None:
        with self._lock:
            if self._stopping.is_set():
                return
            self.progress = ("Starting", None)
            self._process = _started()
        clock = threading.Timer(MAX_INTAKE_SECONDS, self._end, (_TOO_LONG,))
        clock.daemon = True
        clock.start()
        try:
            self._read(self._process)
        finally:
            clock.cancel()
            code = self._leave()
        self._explain(code)

    def _read(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(OSError):
            process.stdin.write(self._order)
            process.stdin.flush()
        for line in lines(process.stdout.fileno()):
            try:
                said = messages.answers.decode(line)
            except msgspec.DecodeError:
                log.warn("an intake process said something unreadable")
                return
            if isinstance(said, messages.Progress):
                self.progress = (said.text, said.share)
            else:
                # A last word after a stop still counts: what it speaks of is done.
                self._answer, self.peak_mb = said, said.peak_mb
                return

    def _leave(self) -> int:
        assert self._process is not None
        _kill(self._process)
        with self._lock:
            # From here on its number may be another process's.
            code, left, self._process = self._process.wait(), self._process, None
        for stream in (left.stdin, left.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()
        return code

    def _explain(self, code: int) -> None:
        """Put into words, and into the log, how a process ended that said nothing last."""
        if isinstance(self._answer, messages.Broke):
            log.warn("reading an upload failed", error=self._answer.error, at=self._answer.at)
        if self._answer is not None or self._fault:
            return
        log.warn("an intake process ended", code=code)
        if code == -getattr(signal, "SIGXCPU", 0):
            self._fault = _TOO_LONG
        elif code == -getattr(signal, "SIGKILL", 0):
            self._fault = _KILLED
        elif code == -getattr(signal, "SIGABRT", 0):
            # Where a library cannot go on without memory, it ends its process so.
            self._fault = _NO_MEMORY

    def _tidy(self) -> None:
        if isinstance(self._answer, messages.Waits) and self._keep_in is not None:
            try:
                _move(self._spool.kept, self._keep_in)
            except OSError as error:
                self._answer, self._fault = None, _NOT_MOVED.format(error.strerror)
        if not isinstance(self._answer, messages.Done):
            for root in self._roots:
                unfinished.remove(root, self._spool.mark)
        self._spool.remove()


def _move(files: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for path in files.iterdir():
        path.replace(target / path.name)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _started() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tl_core.intake"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # What libraries complain of may name what people brought.
        stderr=subprocess.DEVNULL,
        env={**os.environ, **ENVIRONMENT},
        # A session of its own: it is ended as a whole.
        start_new_session=os.name == "posix",
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
