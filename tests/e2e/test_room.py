"""A room as its command opens it: the printed link, the gate, the first page, a clean end."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

# The command itself, without drawing what this test does not look at.
COMMAND = """
from tl_core import cli, room_command
room_command.prepare = lambda bar: None
raise SystemExit(cli.main())
"""


@pytest.fixture
def link(sampled_home: Path) -> Iterator[str]:
    """The link that a room prints, while it is open; it has to close without a complaint."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["room", "--yes", "--address", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words],
        cwd=ROOT,
        env={**os.environ, "TL_HOME": str(sampled_home)},
        stdout=subprocess.PIPE,
        text=True,
    ) as room:
        assert room.stdout is not None
        try:
            lines = iter(room.stdout.readline, "")
            printed = next(
                found[1] for line in lines if (found := re.match(r" +Link +(\S+)", line))
            )
            _wait_until_healthy(f"http://127.0.0.1:{port}", room)
            yield printed
        finally:
            room.send_signal(signal.SIGINT)
            assert room.wait(30) == 0
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), 5):
        pass


def _wait_until_healthy(base: str, room: "subprocess.Popen[str]") -> None:
    for _ in range(300):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{base}/_stcore/health", timeout=5).close()
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            room.wait(0.1)
            raise AssertionError("The room ended at its start.")
    raise AssertionError("The room did not open.")


def test_the_printed_link_leads_through_the_gate_to_the_lab(link: str, page) -> None:
    page.goto(link)
    code = page.get_by_role("textbox", name="Code of the room")
    code.wait_for()
    expect(code).to_have_value(re.search(r"room=(\S+)", link)[1])
    page.get_by_label("Your nickname").fill("Ada")
    page.get_by_role("button", name="Come in").click()
    start = page.get_by_role("button", name="Compare strategies")
    start.wait_for()
    page.reload()  # the cookie is enough from now on
    start.wait_for()
    expect(page.get_by_role("link", name="Room", exact=True)).to_have_count(0)
    assert page.strangers == []
