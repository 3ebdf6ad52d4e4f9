"""What a cluster has to fulfil before it gets jobs."""

import socket

import pytest

from tl_core.config import RECIPE_VERSION
from tl_core.executor import NotReady
from tl_core.executors.preflight import (
    Seen,
    agree,
    look,
    require_listener,
    require_token,
    write_nonce,
)

VERSIONS = {"python": "3.11.7", "torch": "2.15.0", "torchvision": "0.30.0"}
FINE = Seen("one", {"versions": VERSIONS}, RECIPE_VERSION, "word")


def test_machines_that_are_alike_are_accepted():
    agree([FINE, FINE], "word")


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (Seen("two", {"versions": VERSIONS}, RECIPE_VERSION, ""), "two does not see the data"),
        (Seen("two", {"versions": VERSIONS}, RECIPE_VERSION - 1, "word"), "two has another vers"),
        (
            Seen("two", {"versions": {**VERSIONS, "torch": "2.11.0"}}, RECIPE_VERSION, "word"),
            "two has torch 2.11.0, one has 2.15.0",
        ),
        (Seen("two", {}, RECIPE_VERSION, "word"), "two has python not at all"),
    ],
)
def test_a_machine_that_differs_is_named(other, reason):
    with pytest.raises(NotReady, match=reason):
        agree([FINE, other], "word")


def test_a_machine_reads_the_word_from_the_data_directory(home, tmp_path, monkeypatch):
    nonce = write_nonce()
    agree([look("one", {})], nonce)
    monkeypatch.setenv("TL_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(NotReady, match="one does not see"):
        agree([look("one", {})], nonce)


@pytest.mark.parametrize(
    ("environment", "remedy"),
    [
        ({}, "Set RAY_AUTH_MODE=token"),
        ({"RAY_AUTH_MODE": "disabled", "RAY_AUTH_TOKEN": "t"}, "Set RAY_AUTH_MODE=token"),
        ({"RAY_AUTH_MODE": "token"}, "no token"),
        ({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": "/nowhere"}, "no token"),
    ],
)
def test_trap_5_no_cluster_without_a_token(environment, remedy, monkeypatch, tmp_path):
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    with pytest.raises(NotReady, match=remedy):
        require_token(environment)


def test_a_token_is_found_where_ray_looks_for_it(monkeypatch, tmp_path):
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    require_token({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "t"})
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("t")
    require_token({"RAY_AUTH_MODE": "token"})


def test_an_address_where_nothing_listens_is_named():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        require_listener(f"127.0.0.1:{port}")
    with pytest.raises(NotReady, match=f"Nothing answers at 127.0.0.1:{port}.*ray start --head"):
        require_listener(f"127.0.0.1:{port}")
