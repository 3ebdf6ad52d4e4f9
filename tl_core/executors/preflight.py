"""What a cluster has to fulfil before it gets jobs; without Ray itself."""

import os
import secrets
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tl_core.config import RECIPE_VERSION
from tl_core.executor import NotReady
from tl_core.home import home

NONCE = "cluster-nonce.txt"
LISTENER_SECONDS = 5.0


class Seen(msgspec.Struct, frozen=True):
    """What one machine of the cluster has: its worker's report, and the nonce that it read.

    `recipe`: the RECIPE_VERSION of the code there.
    """

    machine: str
    report: dict[str, Any]
    recipe: int
    nonce: str


def require_token(environment: Mapping[str, str]) -> None:
    """Raise NotReady unless Ray will ask everybody for a token and this process has one.

    Without it anyone who reaches the ports of a cluster can run anything on its machines.
    """
    if environment.get("RAY_AUTH_MODE", "").lower() != "token":
        raise NotReady(
            "The cluster is not used without authentication. Set RAY_AUTH_MODE=token on every "
            "machine, before Ray and Transfer Lab are started (docs/cluster.md)."
        )
    path = Path(environment.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    if not environment.get("RAY_AUTH_TOKEN") and not (path.is_file() and path.read_text().strip()):
        raise NotReady(
            "There is no token for the cluster. Make one by `ray get-auth-token --generate` and "
            "copy ~/.ray/auth_token to every machine, or set RAY_AUTH_TOKEN_PATH."
        )


def require_listener(address: str) -> None:
    """Raise NotReady if nothing listens at `host:port`; Ray itself would wait for minutes."""
    host, _, port = address.rpartition(":")
    if not (host and port.isdigit()):
        return
    try:
        socket.create_connection((host, int(port)), LISTENER_SECONDS).close()
    except OSError as error:
        raise NotReady(
            f"Nothing answers at {address}. Start the cluster there by `ray start --head`, or set "
            "TL_RAY_ADDRESS to where it is (docs/cluster.md)."
        ) from error


def write_nonce() -> str:
    """Write a word that nobody can guess into the data directory and return it."""
    nonce = secrets.token_hex(16)
    (home() / NONCE).write_text(nonce, encoding="utf-8")
    return nonce


def look(machine: str, report: dict[str, Any]) -> Seen:
    """Return what this machine sees; called on every machine of a cluster."""
    path = Path(os.environ["TL_HOME"]) / NONCE
    nonce = path.read_text(encoding="utf-8") if path.is_file() else ""
    return Seen(machine, report, RECIPE_VERSION, nonce)


def agree(seen: Sequence[Seen], nonce: str) -> None:
    """Raise NotReady unless all machines share the data directory and would compute alike."""
    for one in seen:
        if one.nonce != nonce:
            raise NotReady(
                f"The machine {one.machine} does not see the data directory. TL_HOME has to be on "
                "storage that all machines mount under the same path."
            )
        if one.recipe != RECIPE_VERSION:
            raise NotReady(
                f"The machine {one.machine} has another version of Transfer Lab. Install the same "
                "on all, under the same path."
            )
        first, here = seen[0].report.get("versions", {}), one.report.get("versions", {})
        for name in first:
            if here.get(name) != first[name]:
                raise NotReady(
                    f"The machine {one.machine} has {name} {here.get(name, 'not at all')}, "
                    f"{seen[0].machine} has {first[name]}. Results would not be comparable: "
                    "install the same on all."
                )
