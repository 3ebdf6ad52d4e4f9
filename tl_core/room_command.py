"""`room` on the command line: the app for a room of people, opened on purpose and kept alive."""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import msgspec

from tl_core import catalog, ingest, lesson_links, network, room_code, room_text, weights
from tl_core.config import NotPossible
from tl_core.home import home
from tl_core.ingest import source_probe
from tl_core.room_text import Entrance
from tl_core.store import Room, Store
from tl_core.supervisor import Kept, keep
from tl_core.terminal import Bar

_ROOT = Path(__file__).resolve().parents[1]
DONE = 0
# Until the teacher says otherwise.
ACTIVE_PER_PERSON = 2


def open_room(options: argparse.Namespace) -> int:
    """Ask, print how people get in, and serve until interrupted; return 0.

    Raises NotPossible where it cannot be done or was not wanted.
    """
    refuse_taken(options.address, options.port)
    link = _checked_link(options.link)
    print(room_text.meaning(options.address))
    if not options.yes:
        _ask()
    with Bar(sys.stderr) as bar:
        prepare(bar)
    bases = room_text.bases(link, _listening(options.address), options.port)
    entrance = settle(bases, options.code, new=options.new_code)
    print(room_text.notice(entrance), flush=True)
    serve(options.address, options.port, bases)
    print("The room is closed.", flush=True)
    return DONE


def refuse_taken(address: str, port: int) -> None:
    """Raise NotPossible where no server could listen."""
    try:
        if network.is_free(address, port):
            return
        other = network.next_free(address, port)
    except (OSError, OverflowError) as error:
        raise NotPossible(
            f"{address}, port {port}, is no address of this machine. Leave out --address to "
            "listen on all of them."
        ) from error
    instead = "another one" if other is None else f"a free one: --port {other}"
    raise NotPossible(
        f"Port {port} is in use by another program, perhaps by Transfer Lab itself. Close that, "
        f"or choose {instead}"
    )


def _checked_link(link: str | None) -> str | None:
    parts = urlsplit(link or "http://localhost")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise NotPossible("--link is what participants open, such as https://lab.example.org")
    return link


def _ask() -> None:
    try:
        said = input("Open it? Type yes: ")
    except EOFError:
        raise NotPossible("Nobody is here to say yes. Give --yes to open the room.") from None
    if said.strip().lower() not in ("yes", "y"):
        raise NotPossible("Not opened.")


def prepare(bar: Bar) -> None:
    """Make the sample sets and draw source images, so that nobody in the room waits for them."""
    for number, name in enumerate(ingest.SAMPLES):
        bar.show("Preparing the sample images", number / len(ingest.SAMPLES))
        ingest.sample(name)
    row = catalog.find(weights.FIRST_MODEL)
    if row.weights.drawn:
        source_probe.drawn(row, bar.show)


def _listening(address: str) -> Sequence[str]:
    return network.addresses() if address == network.EVERYWHERE else [address]


def settle(bases: Sequence[str], code: str | None, *, new: bool = False) -> Entrance:
    """Save the room and return how people get in: with a given code, the last one, or a new one.

    The teacher's key is always new; people, data and jobs of the data directory stay, and with
    the same code nobody is asked for it again. Raises NotPossible for a code that is none.
    """
    key = room_code.new_key()
    with contextlib.closing(Store()) as store:
        before = store.room()
        last = before.code if before is not None and not new else None
        try:
            chosen = lesson_links.class_code(code or last or room_code.new_code())
        except ValueError as fault:
            raise NotPossible(f"--code must be {fault}.") from fault
        same = before is not None and before.code == chosen
        opened = before.opened if before is not None and same else time.time()
        store.set_room(Room(code=chosen, key_sha256=room_code.digest(key), opened=opened))
        if before is None:
            limits = msgspec.structs.replace(store.limits(), active_per_person=ACTIVE_PER_PERSON)
            store.set_limits(limits)
    shown, *others = bases
    return Entrance(shown, chosen, key, tuple(others))


def serve(address: str, port: int, bases: Sequence[str]) -> None:
    """Keep web server and queue alive until this process is interrupted or asked to end."""
    stopping = threading.Event()

    def stop(signum: int, frame: FrameType | None) -> None:
        stopping.set()

    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, stop)
    words, own = web_command(address, port, room_text.hosts(bases)), environment(bases[0])
    queue = Kept("queue", lambda: _started(["tl_core.runner"], own), _tell)
    web = Kept("web server", lambda: _started(words, own), _tell)
    keep([queue, web], stopping)


def web_command(address: str, port: int, hosts: Sequence[str]) -> list[str]:
    """Return the module and its words that serve the app.

    With the welcome message, or without a known host, Streamlit would ask a host on the internet
    for this machine's address.
    """
    words = ["tl_core.bound", "streamlit", "run", "app.py", "--server.headless", "true"]
    words += ["--server.address", address, "--server.port", str(port)]
    words += ["--browser.serverAddress", hosts[0], "--logger.hideWelcomeMessage", "true"]
    words += ["--server.enableXsrfProtection", "true", "--server.enableCORS", "true"]
    for host in hosts:
        words += ["--server.allowedHosts", host]
    return words


def _started(module: Sequence[str], own: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a module that ends when this process does: its standard input closes then."""
    # Ctrl-C is for this process alone, which then asks the others to end.
    return subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=_ROOT,
        env=own,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def environment(base: str) -> dict[str, str]:
    """Return the environment of the room's processes; `base`: the address that is shown."""
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    data = str(home().resolve())
    room = {"TL_ROOM": "1", "TL_ROOM_LINK": base}
    return {**os.environ, **room, "TL_HOME": data, "PYTHONPATH": os.pathsep.join(paths)}


def _tell(sentence: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {sentence}", file=sys.stderr, flush=True)
