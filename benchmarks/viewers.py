"""What do viewers cost the web process, and how fast do pages switch with a full history?

    python -m benchmarks.viewers [--part live|pages] [--viewers 1,30] [--seconds 30]

`live`: processor time of the web process while viewers watch one running comparison, each through
Streamlit's own protocol over a WebSocket: like a browser, a viewer runs a page and then every
fragment at the interval that the page asks for. `pages`: server time of every page with 200
finished comparisons in the store, from asking for the page to the end of its script; each page
three times, the last two counted.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

import msgspec
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.rows import markdown
from tl_core import ingest, recording
from tl_core.events import ComparisonStarted, Event
from tl_core.store import Store

PAGES: Final = ("", "data", "model", "trust", "history", "pitfalls", "lessons")
FINISHED: Final = 200
TIMES: Final = 3
_ROOT: Final = Path(__file__).resolve().parents[1]


def main() -> int:
    """Measure the asked parts and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=("live", "pages"))
    parser.add_argument("--viewers", default="1,30", metavar="A,B")
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        os.environ["TL_HOME"] = home
        if options.part in (None, "live"):
            _live([int(count) for count in options.viewers.split(",")], options.seconds)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        os.environ["TL_HOME"] = home
        if options.part in (None, "pages"):
            _pages()
    return 0


@contextlib.contextmanager
def server() -> Iterator[tuple[str, int]]:
    """Give the address and the process of the app, started as the README does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    process = subprocess.Popen(
        [*command, "--server.headless", "true"],
        cwd=_ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            with contextlib.suppress(URLError, OSError):
                urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5).close()
                break
            time.sleep(0.1)
        yield f"ws://127.0.0.1:{port}/_stcore/stream", process.pid
    finally:
        process.terminate()
        process.wait()


def _recorded() -> list[Event]:
    """Return the first sample's recorded comparison, of the data set as it is here."""
    name = next(iter(ingest.SAMPLES))
    data = ingest.sample(name)
    made = [event for _, event in recording.read(recording.path_of(name)).moments]
    first = made[0]
    assert isinstance(first, ComparisonStarted)
    config = msgspec.structs.replace(
        first.config,
        data=msgspec.structs.replace(first.config.data, fingerprint=data.fingerprint),
    )
    facts = msgspec.structs.replace(first.dataset, fingerprint=data.fingerprint)
    return [msgspec.structs.replace(first, config=config, dataset=facts), *made[1:]]


def _put(store: Store, events: list[Event], number: int) -> str:
    started = events[0]
    assert isinstance(started, ComparisonStarted)
    job = store.create(started.config, f"Comparison {number}", queued=False)
    store.append(job, events)
    return job


class Viewer:
    """A browser as far as the server can tell: runs a page, then its fragments when due."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.due: dict[str, tuple[float, float]] = {}

    async def open(self, page: str, query: str = "") -> float:
        """Run a page; return the seconds until its script has ended."""
        started = time.perf_counter()
        self.due.clear()
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.page_name = page
        await self.socket.send(message.SerializeToString())
        await self._until_finished()
        return time.perf_counter() - started

    async def watch(self, seconds: float) -> int:
        """Run fragments for some time; return how often."""
        end, runs = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            if not self.due:
                await asyncio.sleep(min(0.5, end - time.monotonic()))
                continue
            fragment, (moment, interval) = min(self.due.items(), key=lambda one: one[1][0])
            await asyncio.sleep(max(0.0, min(moment, end) - time.monotonic()))
            if time.monotonic() >= end:
                break
            message = BackMsg()
            message.rerun_script.fragment_id = fragment
            message.rerun_script.is_auto_rerun = True
            message.rerun_script.query_string = self.query
            await self.socket.send(message.SerializeToString())
            await self._until_finished()
            runs += 1
            if fragment in self.due:
                self.due[fragment] = (time.monotonic() + interval, interval)
        return runs

    query = ""

    async def _until_finished(self) -> None:
        while True:
            message = ForwardMsg()
            message.ParseFromString(await asyncio.wait_for(self.socket.recv(), 120))
            kind = message.WhichOneof("type")
            if kind == "auto_rerun":
                rerun = message.auto_rerun
                self.due.setdefault(
                    rerun.fragment_id, (time.monotonic() + rerun.interval, rerun.interval)
                )
            if kind == "script_finished":
                return


def connect(address: str) -> Any:
    """Open a session with the app, as a browser does."""
    return websockets.connect(
        address, subprotocols=["streamlit"], max_size=None, origin="http://127.0.0.1"
    )


def _live(counts: list[int], seconds: float) -> None:
    """Watch a comparison of which two thirds have happened; the rest happens meanwhile."""
    store, events = Store(), _recorded()
    some = 2 * len(events) // 3
    lines = []
    with server() as (address, process):
        for number, count in enumerate(counts):
            job = _put(store, events[:some], number)
            coming = _happen(store, job, events[some:], seconds)
            used, runs = asyncio.run(_watched(address, job, count, seconds, process, coming))
            lines.append([str(count), f"{100 * used / seconds:.1f}%", f"{runs / count:.0f}"])
    heads = ["viewers of a live page", "of one core", f"looks in {seconds:.0f} s, each"]
    print(markdown(heads, lines), flush=True)


async def _happen(store: Store, job: str, events: list[Event], seconds: float) -> None:
    for event in events:
        store.append(job, [event])
        await asyncio.sleep(seconds / len(events))


async def _watched(
    address: str,
    job: str,
    count: int,
    seconds: float,
    process: int,
    coming: Coroutine[Any, Any, None],
) -> tuple[float, int]:
    async with contextlib.AsyncExitStack() as stack:
        viewers = []
        for _ in range(count):
            viewer = Viewer(await stack.enter_async_context(connect(address)))
            viewer.query = f"job={job}"
            await viewer.open("", viewer.query)
            viewers.append(viewer)
        before = _processor_seconds(process)
        happening = asyncio.create_task(coming)
        runs = await asyncio.gather(*(viewer.watch(seconds) for viewer in viewers))
        used = _processor_seconds(process) - before
        await happening
        return used, sum(runs)


def _processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _pages() -> None:
    store, events, job = Store(), _recorded(), ""
    for number in range(FINISHED):
        job = _put(store, events, number)
        store.finish(job, "done")
    with server() as (address, _):
        lines = asyncio.run(_switched(address, job))
    heads = ["page", "milliseconds of server time"]
    print(markdown(heads, lines), flush=True)


async def _switched(address: str, job: str) -> list[list[str]]:
    lines = []
    async with connect(address) as opened:
        viewer = Viewer(opened)
        await viewer.open("")
        for page, query in [*((name, "") for name in PAGES), ("", f"job={job}")]:
            took = [await viewer.open(page, query) for _ in range(TIMES)][1:]
            name = "a finished comparison" if query else page or "lab"
            lines.append([name, ", ".join(f"{1000 * one:.0f}" for one in took)])
    return lines


if __name__ == "__main__":
    sys.exit(main())
