"""Thirty people in a room: do they all get on, is anybody slow, does anything cross?

    python -m benchmarks.room [--clients 30] [--browsers 3] [--idle 60] [--write]

Starts a room as `python -m tl_core room` does, with a data directory of its own. Clients speak
Streamlit's protocol; in the lesson some of them are real browsers. First all press Compare on
the same lesson, at the same moment: how many jobs run, and when does each see its first curve? Then
everyone brings images of their own and compares: does everyone get a slice before anyone gets a
second one, and how long do the pages' own refreshes take meanwhile? At last nobody does anything.
Whatever a client receives is searched for what belongs to the others.
"""

import argparse
import asyncio
import contextlib
import io
import os
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
from PIL import Image

from benchmarks.protocol_client import Client
from benchmarks.rows import ROOT, inserted, markdown

BEGIN, END = "<!-- room -->", "<!-- /room -->"
PAGE: Final = ROOT / "docs" / "room.md"
CODE: Final = "benchmark"
LESSON: Final = {
    "sample": "signs",
    "strategies": "feature_extraction,full_fine_tuning",
    "steps": "45",
    "forgetting": "no",
}
OWN: Final = {"strategies": "full_fine_tuning", "seeds": "1", "steps": "40", "forgetting": "no"}
CLASSES, IMAGES, SIDE = 2, 12, 96
LONGEST: Final = 1800.0
# What belongs to somebody: two digits of whose, and enough others to be found by nothing else.
_SECRET = re.compile(rb"zq(\d\d)[0-9a-f]{10}")
# In the data of the live chart, beside its lines.
_CURVE: Final = b"curve"


def main() -> int:
    """Measure, print the table, and write it into the page if that is wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=30)
    parser.add_argument("--browsers", type=int, default=3)
    parser.add_argument("--idle", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--write", action="store_true", help="into docs/room.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, _room(home) as room:
        lines = asyncio.run(_measured(room, Path(home), options))
    table = markdown(["", "measured", "wanted"], lines)
    print(table)
    if options.write:
        PAGE.write_text(inserted(PAGE.read_text(), table, BEGIN, END))
    return 0


class Running:
    """A room that is open: its address, and the process that serves the pages."""

    def __init__(self, base: str, process: int) -> None:
        self.base, self.process = base, process

    def processor_seconds(self) -> float:
        """Return how long the web server has computed."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, what: str) -> float:
        """Return megabytes of the web server: `VmRSS` now, `VmHWM` at most."""
        found = re.search(rf"{what}:\s+(\d+)", Path(f"/proc/{self.process}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0


@contextlib.contextmanager
def _room(home: str) -> Iterator[Running]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["room", "--yes", "--address", "127.0.0.1", "--port", str(port), "--code", CODE]
    with subprocess.Popen(
        [sys.executable, "-m", "tl_core", *words],
        cwd=ROOT,
        env={**os.environ, "TL_HOME": home},
        stdout=subprocess.DEVNULL,
    ) as room:
        try:
            base = f"http://127.0.0.1:{port}"
            _wait_until_healthy(base)
            yield Running(base, _web_process(room.pid))
        finally:
            room.send_signal(signal.SIGINT)
            room.wait(60)


def _wait_until_healthy(base: str) -> None:
    end = time.monotonic() + 600
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            urlopen(f"{base}/_stcore/health", timeout=5).close()
            return
        time.sleep(0.5)
    raise TimeoutError("the room did not open")


def _web_process(parent: int) -> int:
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            owner = int(path.read_text().rsplit(") ", 1)[1].split()[1])
            if owner == parent and b"streamlit" in (path.parent / "cmdline").read_bytes():
                return int(path.parent.name)
    raise LookupError("the web server's process was not found")


class Person(Client):
    """A participant, whose name, data and classes are secrets that no other may receive."""

    def __init__(self, base: str, number: int) -> None:
        super().__init__(base, self._hear)
        self.number = number
        self.secret = f"zq{number:02d}{secrets.token_hex(5)}"
        self.strangers: set[bytes] = set()
        self.saw_curve = False
        self.refused = ""

    def _hear(self, received: bytes) -> None:
        others = _SECRET.finditer(received)
        self.strangers |= {one[0] for one in others if int(one[1]) != self.number}

    async def enter(self) -> None:
        """Come in by the link, with a nickname that anybody may see."""
        await self.connect()
        await self.open(room=CODE)
        self.fill("Code", CODE)
        self.fill("Your nickname", f"Person {self.number}")
        await self.press("Come in")

    async def compare(self, together: asyncio.Barrier | None = None, **link: str) -> float:
        """Set up and start a comparison; return the seconds from the press to the first curve.

        `together`: where all who press at the same moment wait for each other.
        """
        await self.open(**link)
        if together is not None:
            await together.wait()
        began = time.perf_counter()
        await self.press("Compare strategies")
        await self.watch(self._has_curve, LONGEST)
        return time.perf_counter() - began

    def _has_curve(self) -> bool:
        if "plotly_chart" in self.kinds():  # it is over already
            return True
        shown = self.elements.values()
        titles = [one.heading.body for one in shown if one.WhichOneof("type") == "heading"]
        charts = [
            one.vega_lite_chart for one in shown if one.WhichOneof("type") == "vega_lite_chart"
        ]
        tables = [[chart.data, *(one.data for one in chart.datasets)] for chart in charts]
        runs = any(title.startswith("Comparing") for title in titles)
        return runs and any(_CURVE in table.data for found in tables for table in found)

    async def bring(self) -> None:
        """Upload a small set of one's own: two easy classes."""
        await self.open("data", way="own")
        rng = np.random.default_rng(self.number)
        files = {
            f"{self.secret}/{self.secret}{name}/{number}.png": _picture(rng, number, place)
            for place, name in enumerate("ab")
            for number in range(IMAGES)
        }
        await self.upload("Choose the folder", files)


def _picture(rng: np.random.Generator, number: int, place: int) -> bytes:
    pixels = rng.integers(0, 80, (SIDE, SIDE, 3)) + 100 * place
    pixels[:: 3 + number % 4] += 60
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


async def _measured(room: Running, home: Path, options: argparse.Namespace) -> list[list[str]]:
    people = [Person(room.base, number) for number in range(options.clients)]
    await asyncio.gather(*(person.enter() for person in people))
    _say("everybody is in")
    lines = await _lesson(room, home, people, options.browsers)
    _say("the lesson is over")
    lines += await _own(room, home, people)
    _say("the comparisons of own images are over")
    before = room.processor_seconds()
    await asyncio.gather(*(person.watch(lambda: False, options.idle) for person in people))
    share = (room.processor_seconds() - before) / options.idle
    crossed = sum(len(person.strangers) for person in people)
    for person in people:
        await person.close()
    return [
        *lines,
        [f"idle web server, {len(people)} open pages", f"{share:.1%} of a core", "under 5%"],
        ["its memory at most", f"{room.memory('VmHWM'):.0f} MB", ""],
        ["somebody else's names received", str(crossed), "0"],
    ]


async def _lesson(
    room: Running, home: Path, people: Sequence[Person], browsers: int
) -> list[list[str]]:
    """Have everybody start the same lesson at once, the first of them in real browsers."""
    browsers = browsers if find_spec("playwright") else 0
    together = asyncio.Barrier(len(people))
    real = asyncio.gather(*(_browser(room.base, number, together) for number in range(browsers)))
    others = people[browsers:]
    first = await asyncio.gather(*(person.compare(together, **LESSON) for person in others))
    seen = await real
    await _until_empty(home, people)
    ran, asked = _count(home)
    lines = [
        ["people who started the same lesson", str(asked), ""],
        ["jobs that ran for it", str(ran), "1"],
        ["press to first curve, p50 / p95 / max", _seconds([*first, *seen]), "under 5 s"],
    ]
    if seen:
        lines.append([f"of these in {len(seen)} real browsers", _seconds(seen), "under 5 s"])
    return lines


async def _browser(base: str, number: int, together: asyncio.Barrier) -> float:
    """Join the lesson with a real browser; return its seconds from the press to the first curve."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page()
        page.set_default_timeout(1000 * LONGEST)
        await page.goto(f"{base}/?{urlencode({'room': CODE, **LESSON})}")
        await page.get_by_label("Your nickname").fill(f"Browser {number}")
        await page.get_by_role("button", name="Come in").click()
        start = page.get_by_role("button", name="Compare strategies")
        await start.wait_for()
        await together.wait()
        began = time.perf_counter()
        await start.click()
        # The words that stand above the first curve.
        await page.get_by_text(re.compile("Run [0-9]+ of|How the strategies")).first.wait_for()
        took = time.perf_counter() - began
        await browser.close()
        return took


async def _own(room: Running, home: Path, people: Sequence[Person]) -> list[list[str]]:
    """Have everybody compare on images of their own."""
    await asyncio.gather(*(person.bring() for person in people))
    _say("everybody has uploaded images")
    for person in people:
        person.looks.clear()
    watching = asyncio.create_task(_starts(home, len(people)))
    began = time.perf_counter()
    first = await asyncio.gather(*(person.compare(**OWN) for person in people))
    everybody = time.perf_counter() - began
    served, again = await watching
    looks = [look for person in people for look in person.looks]
    await _until_empty(home, people)
    return [
        ["people who compared on images of their own", str(len(first)), ""],
        ["served before anyone was served twice", f"{served} of {len(people)}", "all"],
        ["all of them saw their first curve after", f"{everybody:.0f} s", ""],
        ["starts until then, of them second ones", f"{served + again}, {again}", ""],
        [
            f"refresh of a waiting page, p50 / p95 / max ({len(looks)})",
            _seconds(looks),
            "p95 under 1 s",
        ],
    ]


async def _starts(home: Path, people: int) -> tuple[int, int]:
    """Return how many owners were served before any second time, and the second times till all."""
    order: list[str] = []
    seen: set[tuple[str, int]] = set()
    end = time.monotonic() + LONGEST
    while len(set(order)) < people and time.monotonic() < end:
        for owner, job, lease in _rows(
            home,
            "SELECT owner, id, lease FROM jobs WHERE owner NOT LIKE 'shared:%' AND lease > 0 "
            "ORDER BY turn",
        ):
            if (job, lease) not in seen:
                seen.add((job, lease))
                order.append(owner)
        await asyncio.sleep(0.5)
    twice = next((at for at, owner in enumerate(order) if owner in order[:at]), len(order))
    return len(set(order[:twice])), len(order) - len(set(order))


async def _until_empty(home: Path, people: Sequence[Person]) -> None:
    """Keep everybody looking until nothing waits or runs."""

    def empty() -> bool:
        left = _rows(home, "SELECT COUNT(*) FROM jobs WHERE status IN ('queued', 'running')")
        return left[0][0] == 0

    await asyncio.gather(*(person.watch(empty, LONGEST) for person in people))


def _count(home: Path) -> tuple[int, int]:
    """Return how many comparisons ran, and how many were asked for."""
    ran = _rows(home, "SELECT COUNT(*) FROM jobs WHERE kind = 'compare' AND leader IS NULL")
    asked = _rows(home, "SELECT COUNT(*) FROM jobs WHERE kind = 'compare' AND leader IS NOT NULL")
    return ran[0][0], asked[0][0]


def _rows(home: Path, question: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(home / "store.sqlite3", timeout=30)) as database:
        return database.execute(question).fetchall()


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def _seconds(values: Sequence[float]) -> str:
    if not len(values):
        return "–"
    middle, high = np.percentile(values, [50, 95])
    return f"{middle:.2f} / {high:.2f} / {max(values):.2f} s"


if __name__ == "__main__":
    sys.exit(main())
