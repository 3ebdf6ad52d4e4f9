"""The runner's handle on one worker process: start, talk, stop, and why it died."""

import contextlib
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec

from tl_core import pipe

# A worker that has sent its last message may take this long to leave memory.
EXIT_SECONDS = 10.0
# Between a polite stop and a hard one.
TERM_SECONDS = 1.0
TAIL_LINES = 60

# Called from the reading thread with each message, at last with None when the process is gone.
Receiver: TypeAlias = Callable[["WorkerProcess", pipe.FromWorker | None], None]


class WorkerProcess:
    """A process running `module`, in a session of its own so that it can be stopped as a whole.

    `environment`: its variables, by default those of this process.
    """

    def __init__(
        self, module: str, receiver: Receiver, environment: Mapping[str, str] | None = None
    ) -> None:
        self._receiver = receiver
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment,
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._errors = threading.Thread(target=self._read_errors, daemon=True)
        self._errors.start()
        for work in (self._read, self._write, self._end_group):
            threading.Thread(target=work, daemon=True).start()

    def send(self, message: pipe.ToWorker) -> None:
        """Send one message; nothing happens if the process is gone, its end is reported anyway.

        Returns at once: a process that is frozen does not empty its pipe.
        """
        self._outbox.put(pipe.encode(message))

    def _write(self) -> None:
        assert self._process.stdin is not None
        while (line := self._outbox.get()) is not None:
            data = memoryview(line)
            with contextlib.suppress(OSError, ValueError):
                while data:
                    data = data[self._process.stdin.write(data) or 0 :]

    def _end_group(self) -> None:
        """End what the process has started: while that holds the pipe, its end would go unseen."""
        self._process.wait()
        self._signal("SIGKILL")

    def stop(self) -> None:
        """End the process: politely, after a second by force. Returns when it is gone."""
        for name in ("SIGTERM", "SIGKILL"):
            self._signal(name)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(TERM_SECONDS)
                return
        self._process.wait()

    def _signal(self, name: str) -> None:
        with contextlib.suppress(OSError):
            if os.name == "posix":
                # The process leads its own group: its children end with it.
                os.killpg(self._process.pid, getattr(signal, name))
            else:
                self._process.kill()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in pipe.lines(self._process.stdout.fileno()):
            message: pipe.FromWorker
            try:
                message = pipe.from_worker.decode(line)
            except msgspec.DecodeError as error:
                message = pipe.Failed(f"The training process sent something unreadable ({error}).")
            self._receiver(self, message)
            if isinstance(message, pipe.LAST):
                break
        self._leave()
        self._receiver(self, None)

    def _leave(self) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(EXIT_SECONDS)
        self._signal("SIGKILL")
        self._process.wait()
        self._outbox.put(None)
        self._errors.join(TERM_SECONDS)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            for line in stream:
                self._tail.append(line.decode(errors="replace").rstrip())

    @property
    def errors(self) -> str:
        """The last lines that the process wrote to standard error."""
        return "\n".join(self._tail)

    @property
    def was_killed(self) -> bool:
        """Whether the process was ended by a signal that it could not refuse."""
        return self._process.poll() == -9

    def death(self, memory: bool | None = None) -> str:
        """Say for the user why the process ended without a last message.

        `memory`: whether the system says that memory ran out; None where it says nothing.
        """
        code = self._process.poll()
        if code is None:
            return "The training process stopped answering."
        if code == -9 and memory:
            return "The training process was ended by the system because memory ran out."
        if code == -9 and memory is None:
            return (
                "The training process was ended by the system, most likely because memory ran out. "
                "Close other programs, or try a smaller model."
            )
        if code < 0:
            return f"The training process ended unexpectedly ({_signal_name(-code)})."
        last = next((line for line in reversed(self._tail) if line.strip()), "")
        return f"The training process ended unexpectedly (exit code {code}). {plain(last)}".strip()


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        name = signal.Signals(number).name
        memory = ", an invalid memory access" if name in ("SIGSEGV", "SIGBUS") else ""
        return f"signal {number}, {name}{memory}"
    return f"signal {number}"


def plain(text: str, longest: int = 300) -> str:
    """Return an error text on one line, with the folders of any path left out, not too long."""
    # In quotation marks a folder's name may have spaces.
    text = re.sub(r"(['\"])(?:[A-Za-z]:)?[\\/](?:[^'\"]*[\\/])?([^'\"\\/]*)\1", r"\1\2\1", text)
    text = re.sub(r"(?:[A-Za-z]:)?(?:[\\/][^\\/\s'\":]+)+[\\/]([^\\/\s'\":]+)", r"\1", text)
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
