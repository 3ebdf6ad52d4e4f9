"""What runner and worker say to each other: one JSON value a line, over the worker's pipes."""

import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeAlias

import msgspec

from tl_core.config import ComparisonConfig
from tl_core.earlier import Elsewhere
from tl_core.events import Event, RunEnded
from tl_core.owners import LOCAL

# How often a worker says that it is there.
ALIVE_SECONDS = 5.0


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="message"):
    """Common ground of all messages: tagged, unknown fields fail."""


class Ready(Message, frozen=True, tag="ready"):
    """Worker: imports are done and a job may come. `report`: device and versions."""

    report: dict[str, Any]


class Happened(Message, frozen=True, tag="event"):
    """Worker: an event of the job."""

    event: Event


class Ask(Message, frozen=True, tag="ask"):
    """Worker: has this run been completed before? It waits for `Found`.

    `needed`: where another process executes it, the answer is to come when that has ended.
    """

    run_id: str
    needed: bool = False


class Alive(Message, frozen=True, tag="alive"):
    """Worker, every few seconds: it still runs, whatever it computes."""


class Done(Message, frozen=True, tag="done"):
    """Worker, last message: the job is complete."""


class Failed(Message, frozen=True, tag="failed"):
    """Worker, last message: the job cannot be completed.

    `reason` is for the user, `details` for the log.
    """

    reason: str
    details: str = ""


class Full(Message, frozen=True, tag="full"):
    """Worker, last message: the disk had no room for what the job needs; `details` for the log."""

    details: str = ""


class Yielded(Message, frozen=True, tag="yielded"):
    """Worker, last message: it stopped between two runs because it was asked to."""


class Job(Message, frozen=True, tag="job"):
    """Runner: the one job that this worker executes.

    `owner`: whose data it may read. `halvings`: how often memory ran out before, each time with
    twice as many images in memory at a time as the next.
    """

    id: str
    kind: str
    config: ComparisonConfig | None
    request: dict[str, Any]
    owner: str = LOCAL
    halvings: int = 0


class Found(Message, frozen=True, tag="found"):
    """Runner: the answer to `Ask`. `elsewhere`: another process executes it."""

    run: RunEnded | None
    elsewhere: bool = False


class GiveWay(Message, frozen=True, tag="give_way"):
    """Runner: stop after the next finished run, somebody else's job waits."""


FromWorker: TypeAlias = Ready | Happened | Ask | Alive | Done | Failed | Full | Yielded
ToWorker: TypeAlias = Job | Found | GiveWay
Last: TypeAlias = Done | Failed | Full | Yielded
LAST = (Done, Failed, Full, Yielded)

from_worker: msgspec.json.Decoder[FromWorker] = msgspec.json.Decoder(FromWorker)
to_worker: msgspec.json.Decoder[ToWorker] = msgspec.json.Decoder(ToWorker)


def encode(message: Message) -> bytes:
    """Return the message as a line."""
    return msgspec.json.encode(message) + b"\n"


def lines(descriptor: int) -> Iterator[bytes]:
    """Yield complete lines of a pipe until its other end closes.

    Unbuffered on purpose: a thread that waits inside a buffered reader aborts the interpreter's
    exit.
    """
    rest = b""
    while chunk := os.read(descriptor, 1 << 16):
        *complete, rest = (rest + chunk).split(b"\n")
        yield from complete


class End(Protocol):
    """The worker's side, whatever carries the messages: what a job needs of it."""

    def send(self, message: FromWorker) -> None:
        """Say something; the process ends if nobody listens any more."""

    def find(self, run_id: str) -> RunEnded | Elsewhere | None:
        """Ask the runner for a run that was completed earlier."""

    @property
    def must_give_way(self) -> bool:
        """Whether somebody else's job waits and this one has had its slice."""


class WorkerEnd:
    """The worker's side over pipes. Standard output is for messages; prints go to standard error.

    The process ends at once when the runner does: nobody is left to report to, and everything
    worth keeping is in checkpoints.
    """

    def __init__(self) -> None:
        self._output = os.dup(1)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        self._sending = threading.Lock()
        self._incoming: queue.SimpleQueue[Job | Found] = queue.SimpleQueue()
        self._give_way = threading.Event()

    def listen(self) -> None:
        """Start to read the runner's messages.

        Not before the imports are done: on Windows a waiting read of standard input can block them.
        """
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in lines(0):
            message = to_worker.decode(line)
            if isinstance(message, GiveWay):
                self._give_way.set()
            else:
                self._incoming.put(message)
        os._exit(0)

    def send(self, message: FromWorker) -> None:
        """Write one message; the process ends if the runner has gone."""
        data = memoryview(encode(message))
        with self._sending:
            try:
                while data:
                    data = data[os.write(self._output, data) :]
            except OSError:
                os._exit(0)

    def receive_job(self) -> Job:
        """Wait for the job."""
        message = self._incoming.get()
        if not isinstance(message, Job):
            raise TypeError(f"A job was expected, got {type(message).__name__}.")
        return message

    def find(self, run_id: str) -> RunEnded | Elsewhere | None:
        """Ask the runner for a run that was completed earlier."""
        answer = self._answer(Ask(run_id))
        if answer.elsewhere:
            return Elsewhere(lambda: self._answer(Ask(run_id, needed=True)).run)
        return answer.run

    def _answer(self, question: Ask) -> Found:
        self.send(question)
        message = self._incoming.get()
        if not isinstance(message, Found):
            raise TypeError(f"An answer was expected, got {type(message).__name__}.")
        return message

    @property
    def must_give_way(self) -> bool:
        """Whether somebody else's job waits and this one has had its slice."""
        return self._give_way.is_set()


def beat(end: End) -> None:
    """Say every few seconds that the process runs, whatever it computes."""

    def say() -> None:
        while True:
            end.send(Alive())
            time.sleep(ALIVE_SECONDS)

    threading.Thread(target=say, daemon=True).start()


def serve(
    prepare: Callable[[], dict[str, Any]],
    perform: Callable[[Job, End], Last],
) -> None:
    """Be a worker over pipes: one job, then exit. `prepare` returns the report for `Ready`."""
    end = WorkerEnd()
    end.send(Ready(prepare()))
    end.listen()
    job = end.receive_job()
    beat(end)
    end.send(perform(job, end))
