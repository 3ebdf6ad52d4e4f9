"""What the room's command says: what opening the app means, and how people get in."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import segno

from tl_core.network import LOOPBACK

_OPEN = """\
This opens Transfer Lab on this machine to others.

  Who gets in     everyone on this network who has the link and the code. They compute on this
                  machine and can upload images to it.
  Who sees what   nicknames, guesses and results are seen by everybody in the room; images by
                  whoever brought them. With the teacher's link you see and steer the queue and
                  can open everybody's results.
  Not encrypted   what goes over the network can be read by others on the same network, the code
                  and the teacher's link included. That is all right on a network you trust: a
                  classroom's, an office's, your own. Elsewhere, and always for the internet, put a
                  reverse proxy with TLS in front: docs/room.md has one that works.
"""
_BEHIND_PROXY = """\
This opens Transfer Lab to others through a reverse proxy on this machine.

  Who gets in     everyone who reaches the proxy and has the link and the code. They compute on this
                  machine and can upload images to it.
  Who sees what   nicknames, guesses and results are seen by everybody in the room; images by
                  whoever brought them. With the teacher's link you see and steer the queue and
                  can open everybody's results.
  Encrypted       as far as the proxy does it: docs/room.md has a configuration that works.
"""


@dataclass(frozen=True)
class Entrance:
    """How people get in. `base`: the app's address without a query; `others`: further ones."""

    base: str
    code: str
    key: str
    others: tuple[str, ...] = ()

    @property
    def link(self) -> str:
        """What participants open."""
        return f"{self.base}/?{urlencode({'room': self.code})}"

    @property
    def teachers_link(self) -> str:
        """What only the teacher opens."""
        return f"{self.base}/?{urlencode({'teacher': self.key})}"


def meaning(address: str) -> str:
    """Return what listening on an address means for whoever opens the room."""
    return _BEHIND_PROXY if address == LOOPBACK else _OPEN


def bases(link: str | None, addresses: Sequence[str], port: int) -> list[str]:
    """Return the addresses under which browsers reach the app, the one to show first."""
    if link is not None:
        return [link.rstrip("/")]
    return [f"http://{address}:{port}" for address in addresses or [LOOPBACK]]


def hosts(all_bases: Sequence[str]) -> list[str]:
    """Return the names under which the app answers: those that are shown, and this machine's."""
    shown = [urlsplit(base).hostname or "" for base in all_bases]
    return [*dict.fromkeys([*shown, "localhost", LOOPBACK])]


def notice(entrance: Entrance) -> str:
    """Return link, picture, code and the teacher's link as a terminal shows them."""
    picture = io.StringIO()
    segno.make(entrance.link, error="m").terminal(picture, border=2, compact=True)
    lines = [
        "",
        picture.getvalue().rstrip("\n"),
        f"  Link      {entrance.link}",
        *(f"  or        {other}" for other in entrance.others),
        f"  Code      {entrance.code}",
        f"  Teacher   {entrance.teachers_link}",
        "",
        "  Keep the teacher's link to yourself: it pauses the queue and shows everybody's results.",
        "  Opening takes a few seconds. Ctrl-C closes the room; what is being computed goes on",
        "  when it is opened again.",
        "",
    ]
    return "\n".join(lines)
