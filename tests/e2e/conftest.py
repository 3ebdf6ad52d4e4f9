"""A real server, a real browser. Skipped, with the reason, where there is no Chromium."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parent.parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
# A camera that shows a moving pattern; each context decides whether pages may use it.
FLAGS += ["--use-fake-device-for-media-stream"]


class Server:
    """The app as the README starts it, on a free port, with a data directory of its own."""

    def __init__(self, home: Path, configured: Callable[[str], list[str]] | None = None) -> None:
        """`configured`: returns further options of Streamlit's for an app at an address."""
        self.home, self.process = home, None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._options = configured(self.url) if configured else []
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "streamlit", "run", "app.py"]
        command += ["--server.port", str(self.port), "--server.headless", "true"]
        command += self._options
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "TL_HOME": str(self.home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait_until_healthy()

    def _wait_until_healthy(self) -> None:
        for _ in range(600):
            with contextlib.suppress(URLError, OSError):
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5).close()
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.1)
                raise AssertionError("The server ended at its start.")
        raise AssertionError("The server did not become healthy.")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def maps(self) -> str:
        """What the web process has mapped into memory."""
        return Path(f"/proc/{self.process.pid}/maps").read_text()


@pytest.fixture(scope="session")
def _drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the drawn source images, which every new server would draw anew."""
    from tl_core import catalog, weights
    from tl_core.ingest import source_probe

    path = tmp_path_factory.mktemp("drawn")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TL_HOME", str(path))
        source_probe.drawn(catalog.find(weights.FIRST_MODEL))
    return path


def add_files(source: Path, target: Path) -> None:
    """Link the files of a data directory into another one, which keeps what it has."""
    for file in source.rglob("*"):
        place = target / file.relative_to(source)
        if file.is_file() and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(file, place)


@pytest.fixture
def server(tmp_path: Path, _drawn: Path) -> Iterator[Server]:
    add_files(_drawn, tmp_path / "home")
    running = Server(tmp_path / "home")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser():
    path = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if path is None:
        pytest.skip("browser: no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=path, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser):
    """A page at 1280 x 800 that notes dialogs and requests to other machines."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    opened.strangers = []

    def note(address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            opened.strangers.append(address)

    def refuse(dialog) -> None:
        opened.strangers.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    opened.on("request", lambda request: note(request.url))
    opened.on("dialog", refuse)
    yield opened
    context.close()
