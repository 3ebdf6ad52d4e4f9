"""What carries messages between runner and cluster tasks: an actor beside the runner, and its ends.

Without Ray itself: the actor is a plain class, a task reaches it through a function that calls.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

from tl_core import pipe
from tl_core.events import RunEnded
from tl_core.executor import Lease

# Calls a method of the collector and waits for what it returns.
Call: TypeAlias = Callable[..., Any]


class Collector:
    """Keeps what tasks say until the runner takes it, and what they are told until they hear it.

    It is not in the task's own results, which Ray replays or loses when a task is lost. A lease
    that was dropped is deaf: its task is told so at its next word and ends.
    """

    def __init__(self) -> None:
        self._said: list[tuple[Lease, bytes]] = []
        self._news = asyncio.Event()
        self._answers: dict[Lease, asyncio.Queue[bytes | None]] = {}
        self._giving_way: set[Lease] = set()
        self._dropped: set[Lease] = set()

    async def say(self, lease: Lease, line: bytes) -> bool | None:
        """Take a task's line; return whether it must give way, None if nobody listens to it."""
        if lease in self._dropped:
            return None
        self._said.append((lease, line))
        self._news.set()
        return lease in self._giving_way

    async def ask(self, lease: Lease, line: bytes) -> bytes | None:
        """Take a task's question and return the answer, None if nobody listens to it."""
        if await self.say(lease, line) is None:
            return None
        return await self._answers.setdefault(lease, asyncio.Queue()).get()

    async def take(self, seconds: float) -> list[tuple[Lease, bytes]]:
        """Give the runner what was said, in order; waits at most `seconds` for the first line."""
        if not self._said and seconds:
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), seconds)
        said, self._said = self._said, []
        return said

    async def tell(self, lease: Lease, line: bytes) -> None:
        """Pass on what the runner tells a task."""
        if isinstance(pipe.to_worker.decode(line), pipe.GiveWay):
            self._giving_way.add(lease)
        else:
            self._answers.setdefault(lease, asyncio.Queue()).put_nowait(line)

    async def drop(self, lease: Lease) -> None:
        """Listen to a lease no more."""
        self._dropped.add(lease)
        self._giving_way.discard(lease)
        if lease in self._answers:
            self._answers.pop(lease).put_nowait(None)


class CollectorEnd:
    """The worker's side through the collector; the process ends when nobody listens any more."""

    def __init__(self, call: Call, lease: Lease) -> None:
        self._call = call
        self._lease = lease
        # One word at a time, or a heartbeat could overtake the last message.
        self._saying = threading.Lock()
        self.must_give_way = False

    def send(self, message: pipe.FromWorker) -> None:
        """Say something and wait until it has arrived: then it outlives this process."""
        with self._saying:
            give_way = self._call("say", self._lease, pipe.encode(message))
        if give_way is None:
            os._exit(0)
        self.must_give_way = self.must_give_way or give_way

    def find(self, run_id: str) -> RunEnded | None:
        """Ask the runner for a run that was completed earlier."""
        answer = self._call("ask", self._lease, pipe.encode(pipe.Ask(run_id)))
        if answer is None:
            os._exit(0)
        message = pipe.to_worker.decode(answer)
        if not isinstance(message, pipe.Found):
            raise TypeError(f"An answer was expected, got {type(message).__name__}.")
        return message.run
