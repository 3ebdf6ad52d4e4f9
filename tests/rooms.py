"""Sessions of a room: several browsers of one server, each of them somebody else."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Node

from tests.conftest import APP
from tl_core.store import Room, Store
from tl_ui import identity
from tl_ui.identity import Who
from tl_ui.state import Choice

CODE, KEY = "BEES", "the-teachers-own-key"
ROOM = Room(code=CODE, key_sha256=hashlib.sha256(KEY.encode()).hexdigest(), opened=0.0)


def open_room(room: Room = ROOM) -> None:
    """Open the room in the store of the data directory."""
    store = Store()
    store.set_room(room)
    store.close()


def session(
    page: str, who: Who | None = None, choice: Choice | None = None, **address: str
) -> AppTest:
    """Open a page in a new session of somebody who is in already, or of a stranger."""
    at = AppTest.from_file(APP, default_timeout=30)
    if who is not None:
        at.session_state[identity._KEY] = who
    if choice is not None:
        at.session_state["choice"] = choice
    for name, value in address.items():
        at.query_params[name] = value
    at.switch_page(f"pages/{page}.py").run()
    assert not at.exception
    return at


def everything(at: AppTest) -> str:
    """Return all that a browser was sent: texts, tables, charts, addresses, widgets' keys."""
    return "\n".join(str(getattr(node, "proto", "")) for node in _nodes(at._tree))


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Block):
        for child in node.children.values():
            yield from _nodes(child)


def pages() -> list[str]:
    """Return the names of all pages."""
    return sorted(path.stem for path in (Path(APP).parent / "pages").glob("*.py"))
