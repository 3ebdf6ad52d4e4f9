"""A worker without torch that plays the script in its job's request, to test the runner with.

Each line of the script is a verb and a word; see `play`.
"""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import filelock

from tests.factories import epoch_ended, run_ended, run_started
from tl_core import pipe
from tl_core.events import Event, Progress
from tl_core.home import home
from tl_core.worker import relay

_held: list[filelock.BaseFileLock] = []


def play(job: pipe.Job, end: pipe.End) -> Iterator[Event]:
    """Yield the script's events and do its misdeeds."""
    for line in job.request["script"]:
        verb, _, word = line.partition(" ")
        if verb == "run":
            earlier = end.find(word)
            yield run_started(word, reused=earlier is not None)
            if earlier is None:
                yield epoch_ended(word, step=1)
            yield earlier or run_ended(word)
        elif verb == "unfinished":
            yield run_started(word)
            yield epoch_ended(word, step=1)
        elif verb == "say":
            yield Progress(message=word)
        elif verb == "pid":
            yield Progress(message=str(os.getpid()))
        elif verb == "whose":
            yield Progress(message=f"{job.owner} {job.halvings}")
        elif verb == "until_give_way":
            while not end.must_give_way:
                end.send(pipe.Alive())
                threading.Event().wait(0.1)
        else:
            misbehave(verb, word, end)


def misbehave(verb: str, word: str, end: pipe.End) -> None:
    """Do what a worker should not do."""
    if verb == "print":
        print(word, flush=True)
        os.write(1, b"from C code\n")
    elif verb == "garbage":
        assert isinstance(end, pipe.WorkerEnd)
        os.write(end._output, b"{not json\n")
    elif verb == "signal":
        os.kill(os.getpid(), getattr(signal, word))
    elif verb == "exit":
        print(word, file=sys.stderr, flush=True)
        os._exit(3)
    elif verb == "raise":
        raise RuntimeError(word)
    elif verb == "ignore_sigterm":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    elif verb == "freeze":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif verb == "hang":
        threading.Event().wait()
    elif verb == "stuck":
        # In C with the interpreter's lock held: no other thread runs, no signal is handled.
        ctypes.PyDLL(None).sleep(10_000)
    else:
        raise AssertionError(f"no such verb: {verb}")


def prepare() -> dict[str, Any]:
    """Hold a lock file while alive, so that tests can see the process end."""
    alive = filelock.FileLock(home() / f"{os.getpid()}.alive")
    alive.acquire()
    _held.append(alive)
    if "FAKE_NEVER_READY" in os.environ:
        threading.Event().wait()
    return {"device": "fake", "gpus": int(os.environ.get("FAKE_GPUS", "0")), "pid": os.getpid()}


def perform(job: pipe.Job, end: pipe.End) -> pipe.Done | pipe.Failed | pipe.Yielded:
    """Play the job's script."""
    try:
        return relay(play(job, end), end)
    except RuntimeError as error:
        return pipe.Failed(str(error))


if __name__ == "__main__":
    pipe.serve(prepare, perform)
