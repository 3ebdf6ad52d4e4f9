"""`doctor`: what this machine has, and what to do where something is missing."""

import contextlib
import importlib.metadata
import re
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

from packaging.requirements import Requirement

from tl_core import catalog, weights
from tl_core.home import home
from tl_core.layouts import check_content
from tl_core.room_on_disk import MIN_FREE_BYTES
from tl_core.store import Store, StoreError
from tl_core.vitals import runner_is_there, vitals

# Where the app listens unless told otherwise.
PORT: Final = 8501
REQUIREMENTS: Final = Path(__file__).parents[1] / "requirements.txt"

# Whether all is well, and one line that says what was found and, if it is not, what to do.
Finding: TypeAlias = tuple[bool, str]


def report() -> int:
    """Print one line per check; return 0 if everything works, else 1."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        *(_python, _packages, _torch, _disk, _store, _weights, _runner, _port),
    )
    found = [finding for check in checks for finding in check()]
    for good, text in found:
        print(f"{'ok ' if good else '!! '} {text}")
    return 0 if all(good for good, _ in found) else 1


def _python() -> Iterator[Finding]:
    version = sys.version.split()[0]
    yield sys.version_info >= (3, 11), f"Python {version} (3.11 or newer is needed)"


def _packages() -> Iterator[Finding]:
    """Hold what is installed against what is required."""
    wrong = [text for line in requirements() if (text := _lacking(Requirement(line)))]
    if wrong:
        yield False, f"{'; '.join(wrong)}. Run: pip install -r requirements.txt"
    else:
        yield True, f"All {len(requirements())} required packages, in versions that fit"


def requirements() -> list[str]:
    """Return the lines of requirements.txt that name a package; none where it is not there."""
    with contextlib.suppress(OSError):
        lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if re.match(r"[A-Za-z]", line)]
    return []


def _lacking(wanted: Requirement) -> str:
    try:
        version = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{wanted.name} is not installed"
    fits = wanted.specifier.contains(version, prereleases=True)
    return "" if fits else f"{wanted.name} is {version}, needed is {wanted.specifier}"


def _torch() -> Iterator[Finding]:
    try:
        from tl_core.device import device_report
    except (ImportError, RuntimeError) as error:
        yield (
            False,
            f"torch and torchvision do not work together ({str(error)[:120]}). Run: "
            "pip install -r requirements.txt",
        )
        return
    found = device_report()
    versions = found["versions"]
    yield (
        True,
        f"torch {versions['torch']}, torchvision {versions['torchvision']} on {found['device']} "
        f"({found['device_name']}), {found['precision']}, {found['threads']} threads; measured "
        f"once: remove {home() / 'measured'} to measure again",
    )


def _disk() -> Iterator[Finding]:
    try:
        probe = home() / ".doctor"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        yield (
            False,
            f"The data directory {home()} cannot be written ({error.strerror}). Point TL_HOME to a "
            "folder of your own",
        )


def _store() -> Iterator[Finding]:
    try:
        with contextlib.closing(Store()) as store:
            now = vitals(store)
    except StoreError as error:
        yield False, str(error)
        return
    jobs, size = sum(now.jobs.values()), now.store_bytes / 1e6
    yield True, f"History: {jobs} entries, {size:.1f} MB"
    text = f"{now.free_bytes / 1e9:.0f} GB free for the data directory {home()}"
    if now.free_bytes < MIN_FREE_BYTES:
        text += "; run python -m tl_core clean, or choose another place with TL_HOME"
    yield now.free_bytes >= MIN_FREE_BYTES, text


def _weights() -> Iterator[Finding]:
    first = catalog.find(weights.FIRST_MODEL)
    own = weights.bundled(first)
    if own is None:
        yield False, weights.missing(first)
        return
    try:
        check_content(Path(own.path))
    except weights.BadWeights as error:
        yield False, str(error)
        return
    here = [row.title for row in catalog.catalog().values() if weights.available(row.name)]
    yield True, f"Pretrained weights of {'; '.join(here)}"


def _runner() -> Iterator[Finding]:
    if runner_is_there():
        yield True, "A runner works on the queue"
    else:
        yield True, "No runner at the moment: the app starts one"


def _port() -> Iterator[Finding]:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", PORT))
        except OSError:
            yield (
                True,
                f"Port {PORT} is in use, perhaps by the app itself; another one: "
                "streamlit run app.py --server.port 8502",
            )
        else:
            yield True, f"Port {PORT} is free for the app"
