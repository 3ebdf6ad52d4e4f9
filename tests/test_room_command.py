"""`room` on the command line: what it refuses, says, and keeps alive."""

import contextlib
import itertools
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tl_core import cli, network, room_code, room_command, room_text
from tl_core.room_text import Entrance
from tl_core.store import Limits, Store
from tl_core.supervisor import FIRST_WAIT, GOOD_LIFE, LONGEST_WAIT, Kept, keep


@pytest.fixture
def port() -> int:
    """A port that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def served(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """What would be served; nothing is, and no sample images are drawn."""
    calls: list[tuple] = []
    monkeypatch.setattr(room_command, "serve", lambda *given: calls.append(given))
    monkeypatch.setattr(room_command, "prepare", lambda bar: None)
    monkeypatch.setattr(network, "addresses", lambda: ["192.168.7.20", "10.0.0.5"])
    return calls


def room(*words: str) -> int:
    return cli.main(["room", *words])


def test_it_says_what_it_means_and_how_people_get_in(home, served, port, capsys, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    assert room("--port", str(port), "--code", "7b-friday") == 0
    out = capsys.readouterr().out
    for promise in ("everyone on this network", "can upload images", "Not encrypted", "proxy"):
        assert promise in out
    assert f"http://192.168.7.20:{port}/?room=7b-friday" in out
    assert f"http://10.0.0.5:{port}" in out
    assert "█" in out  # the picture of the link
    key = parse_qs(urlsplit(re.search(r"http\S+teacher=\S+", out)[0]).query)["teacher"][0]
    with contextlib.closing(Store()) as store:
        kept = store.room()
        assert (kept.code, kept.key_sha256) == ("7b-friday", room_code.digest(key))
        assert store.limits().active_per_person == 2
    assert key.encode() not in b"".join(file.read_bytes() for file in home.iterdir())
    assert served == [
        ("0.0.0.0", port, [f"http://192.168.7.20:{port}", f"http://10.0.0.5:{port}"]),
    ]


@pytest.mark.parametrize("said", ["", "no", "yes please"])
def test_nothing_is_opened_without_a_yes(served, port, capsys, monkeypatch, said):
    monkeypatch.setattr("builtins.input", lambda _: said)
    assert room("--port", str(port)) == 2
    assert "Not opened" in capsys.readouterr().err
    with contextlib.closing(Store()) as store:
        assert served == [] and store.room() is None


def test_without_anybody_to_ask_it_wants_the_option(served, port, capsys, monkeypatch):
    def nobody(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    assert room("--port", str(port)) == 2
    assert "--yes" in capsys.readouterr().err and served == []


def test_a_port_in_use_is_refused_with_a_free_one(served, port, capsys):
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", port))
        taken.listen()
        assert room("--port", str(port), "--yes") == 2
    said = capsys.readouterr().err
    assert f"Port {port} is in use" in said and served == []
    other = int(re.search(r"--port (\d+)", said)[1])
    assert port < other <= port + 20


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--address", "192.0.2.77"), "no address of this machine"),
        (("--port", "70000"), "no address of this machine"),
        (("--code", "7b friday"), "--code must be"),
        (("--link", "lab.example.org"), "--link is what participants open"),
    ],
)
def test_bad_input_is_told_in_one_sentence(served, port, capsys, words, reason):
    assert room("--port", str(port), "--yes", *words) == 2
    said = capsys.readouterr().err
    assert reason in said and "Traceback" not in said and served == []


def test_the_room_is_opened_again_with_its_code_and_a_new_key(home):
    entrances, opened = [], []
    for new in (False, False, True):
        entrances.append(room_command.settle(["http://a"], None, new=new))
        with contextlib.closing(Store()) as store:
            opened.append(store.room().opened)
            store.set_limits(Limits(active_per_person=None))
    first, again, other = entrances
    assert again.code == first.code != other.code
    assert len({first.key, again.key, other.key}) == 3
    assert opened[0] == opened[1] < opened[2]  # who came in need not say the old code again
    with contextlib.closing(Store()) as store:
        assert store.limits().active_per_person is None  # the teacher's change stays


def test_codes_can_be_said_and_read():
    codes = {room_code.new_code() for _ in range(200)}
    assert len(codes) == 200
    assert all(
        re.fullmatch(r"([bdfgkmnprstz][aeiou]){2}-([bdfgkmnprstz][aeiou]){2}", c) for c in codes
    )


def test_behind_a_proxy_the_link_is_the_proxys(served, port, capsys):
    link = ("--link", "https://lab.example.org/", "--address", "127.0.0.1")
    assert room("--port", str(port), "--yes", "--code", "abc", *link) == 0
    out = capsys.readouterr().out
    assert "https://lab.example.org/?room=abc" in out and "Not encrypted" not in out
    assert served == [("127.0.0.1", port, ["https://lab.example.org"])]
    assert room_text.hosts(served[0][2])[0] == "lab.example.org"


def test_without_a_network_this_machine_alone_is_shown():
    assert room_text.bases(None, [], 8501) == ["http://127.0.0.1:8501"]


def test_addresses_are_those_others_can_reach():
    assert not [one for one in network.addresses() if one.startswith(("127.", "169.254.", "0."))]


def test_the_web_server_keeps_its_protections_and_asks_no_other_host():
    words = room_command.web_command("0.0.0.0", 8600, ["192.168.7.20", "localhost"])
    options = list(itertools.pairwise(words))
    assert ("--server.enableXsrfProtection", "true") in options
    assert ("--server.enableCORS", "true") in options
    assert ("--browser.serverAddress", "192.168.7.20") in options
    assert ("--logger.hideWelcomeMessage", "true") in options
    assert [b for a, b in options if a == "--server.allowedHosts"] == ["192.168.7.20", "localhost"]


class FakeChild:
    """A process that lives until the test gives it an exit code."""

    def __init__(self, ignores: bool = False) -> None:
        self.code: int | None = None
        self.asked = self.killed = False
        self.ignores = ignores

    def poll(self) -> int | None:
        return self.code

    def terminate(self) -> None:
        self.asked = True
        self.code = None if self.ignores else 0

    def kill(self) -> None:
        self.killed, self.code = True, -9

    def wait(self, timeout: float | None = None) -> int:
        if self.code is None:
            raise subprocess.TimeoutExpired("fake", timeout or 0)
        return self.code


def test_a_process_that_died_is_started_again_later_and_later():
    now, children, told = [0.0], [], []

    def start() -> FakeChild:
        children.append(FakeChild())
        return children[-1]

    kept = Kept("queue", start, told.append, lambda: now[0])
    kept.look()
    waited = []
    for _ in range(9):
        children[-1].code = -9
        kept.look()
        died = now[0]
        while children[-1].code is not None:
            now[0] += FIRST_WAIT / 2
            kept.look()
        waited.append(now[0] - died)
    assert waited[:3] == [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT]
    assert waited[-1] == LONGEST_WAIT
    assert told[0] == "The queue ended (killed by signal 9) and is started again."
    now[0] += GOOD_LIFE  # after a good life the next start is soon again
    children[-1].code = 1
    kept.look()
    now[0] += FIRST_WAIT
    kept.look()
    assert children[-1].code is None


def test_closing_ends_all_of_them_and_kills_who_does_not_listen(monkeypatch):
    good, deaf = FakeChild(), FakeChild(ignores=True)
    stopping = threading.Event()

    def last() -> FakeChild:
        stopping.set()
        return deaf

    keep([Kept("queue", lambda: good), Kept("web server", last)], stopping)
    assert good.asked and not good.killed
    assert deaf.asked and deaf.killed


def test_a_bound_module_ends_with_whoever_started_it():
    command = [sys.executable, "-m", "tl_core.bound", "http.server", "0", "--bind", "127.0.0.1"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        assert process.wait(20) != 0


def test_the_entrance_quotes_what_an_address_cannot_hold():
    entrance = Entrance("http://a:1", "a-b", "k/+=")
    assert entrance.teachers_link == "http://a:1/?teacher=k%2F%2B%3D"
