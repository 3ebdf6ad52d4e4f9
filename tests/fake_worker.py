"""A worker without torch that plays the script in its job's request, to test the runner with.

Each line of the script is a verb and a word; see `play`.
"""

import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator

import filelock

from tests.factories import epoch_ended, run_ended, run_started
from tl_core import pipe
from tl_core.events import Event, Progress
from tl_core.home import home
from tl_core.worker import relay


def play(job: pipe.Job, end: pipe.WorkerEnd) -> Iterator[Event]:
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
        elif verb == "whose":
            yield Progress(message=f"{job.owner} {job.halvings}")
        elif verb == "until_give_way":
            assert end._give_way.wait(30)
        else:
            misbehave(verb, word, end)


def misbehave(verb: str, word: str, end: pipe.WorkerEnd) -> None:
    """Do what a worker should not do."""
    if verb == "print":
        print(word, flush=True)
        os.write(1, b"from C code\n")
    elif verb == "garbage":
        os.write(end._output, b"{not json\n")
    elif verb == "signal":
        os.kill(os.getpid(), getattr(signal, word))
    elif verb == "exit":
        print(word, file=sys.stderr, flush=True)
        os._exit(3)
    elif verb == "full_disk":
        raise OSError(errno.ENOSPC, word)
    elif verb == "raise":
        raise RuntimeError(word)
    elif verb == "ignore_sigterm":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    elif verb == "freeze":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif verb == "hang":
        threading.Event().wait()
    else:
        raise AssertionError(f"no such verb: {verb}")


def main() -> None:
    """Be a worker; hold a lock file while alive, so that tests can see the process end."""
    alive = filelock.FileLock(home() / f"{os.getpid()}.alive")
    alive.acquire()
    end = pipe.WorkerEnd()
    if "FAKE_NEVER_READY" in os.environ:
        threading.Event().wait()
    gpus = int(os.environ.get("FAKE_GPUS", "0"))
    end.send(pipe.Ready({"device": "fake", "gpus": gpus, "pid": os.getpid()}))
    end.listen()
    job = end.receive_job()
    try:
        end.send(relay(play(job, end), end))
    except OSError as error:
        end.send(pipe.Full(str(error)))
    except RuntimeError as error:
        end.send(pipe.Failed(str(error)))


if __name__ == "__main__":
    main()
