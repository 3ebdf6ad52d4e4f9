"""A browser as far as the server can tell: Streamlit's own messages over its WebSocket."""

import asyncio
import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

PATIENCE = 300.0


class Client:
    """One session. `heard` gets the bytes of every message.

    `elements`: what the page shows now, by place; `due`: when which fragment runs again, and after
    how many seconds each time; `looks`: how long each run of a fragment took, in seconds.
    """

    def __init__(self, base: str, heard: Callable[[bytes], None] = lambda _: None) -> None:
        self.base, self.heard = base, heard
        self.elements: dict[tuple[int, ...], Any] = {}
        self.due: dict[str, tuple[float, float]] = {}
        self.looks: list[float] = []
        self.query, self.page, self.session = "", "", ""
        self._states: dict[str, WidgetState] = {}
        self._urls: list[FileURLs] = []
        self._in_fragment = False

    async def connect(self) -> None:
        """Open the connection as a browser does, with the cookie that protects uploads."""
        self._xsrf = await asyncio.to_thread(_xsrf_cookie, self.base)
        self._socket = await websockets.connect(
            f"{self.base.replace('http', 'ws', 1)}/_stcore/stream",
            subprotocols=["streamlit", self._xsrf],  # type: ignore[list-item]
            additional_headers={"Cookie": f"_streamlit_xsrf={self._xsrf}"},
            origin=self.base,  # type: ignore[arg-type]
            max_size=None,
            open_timeout=PATIENCE,
            ping_timeout=PATIENCE,
        )

    async def close(self) -> None:
        """Leave."""
        await self._socket.close()

    async def open(self, page: str = "", **query: str) -> None:
        """Run a page; what widgets said is kept by the server."""
        self.page, self.query = page, urlencode(query)
        self.due.clear()
        self._states.clear()
        await self._run()

    def find(self, kind: str, label: str) -> Any:
        """Return a widget of the page by its label's beginning; raises LookupError."""
        for element in self.elements.values():
            if element.WhichOneof("type") == kind:
                found = getattr(element, kind)
                if found.label.startswith(label):
                    return found
        raise LookupError(f"no {kind} {label!r} among {sorted(self.kinds())}")

    def kinds(self) -> set[str]:
        """Return which kinds of elements the page shows."""
        return {str(element.WhichOneof("type")) for element in self.elements.values()}

    def fill(self, label: str, text: str) -> None:
        """Write into a text input; sent with the next press."""
        widget = self.find("text_input", label)
        self._states[widget.id] = WidgetState(id=widget.id, string_value=text)

    async def press(self, label: str) -> None:
        """Press a button, and wait for the end of what it starts."""
        widget = self.find("button", label)
        if widget.disabled:
            raise LookupError(f"{label!r} is disabled")
        self.due.clear()
        await self._run(WidgetState(id=widget.id, trigger_value=True))

    async def upload(self, label: str, files: Mapping[str, bytes]) -> None:
        """Send files through the upload endpoint, and wait until the app has read them."""
        widget = self.find("file_uploader", label)
        message = BackMsg()
        message.file_urls_request.request_id = uuid.uuid4().hex
        message.file_urls_request.file_names.extend(files)
        message.file_urls_request.session_id = self.session
        await self._socket.send(message.SerializeToString())
        while not self._urls:
            await self._receive()
        state = WidgetState(id=widget.id)
        for (name, content), urls in zip(files.items(), self._urls, strict=True):
            await asyncio.to_thread(self._put, urls.upload_url, name, content)
            info = state.file_uploader_state_value.uploaded_file_info.add()
            info.name, info.size, info.file_id = name, len(content), urls.file_id
            info.file_urls.CopyFrom(urls)
        self._urls = []
        await self._run(state)

    def _put(self, path: str, name: str, content: bytes) -> None:
        mark = uuid.uuid4().hex
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        body = f"{head}Content-Type: image/png\r\n\r\n".encode() + content
        headers = {
            "Content-Type": f"multipart/form-data; boundary={mark}",
            "X-Xsrftoken": self._xsrf,
            "Cookie": f"_streamlit_xsrf={self._xsrf}",
        }
        request = Request(
            f"{self.base}{path}", body + f"\r\n--{mark}--\r\n".encode(), headers, method="PUT"
        )
        urlopen(request, timeout=PATIENCE).close()

    async def watch(self, until: Callable[[], bool], seconds: float) -> bool:
        """Run fragments as the page asks for, until something is true; false if it never was."""
        end = time.monotonic() + seconds
        while not until():
            if time.monotonic() >= end:
                return False
            fragment, moment = self._next()
            await asyncio.sleep(max(0.0, min(moment, end) - time.monotonic()))
            if fragment and time.monotonic() < end:
                began = time.perf_counter()
                await self._run(fragment=fragment)
                self.looks.append(time.perf_counter() - began)
                if fragment in self.due:
                    interval = self.due[fragment][1]
                    self.due[fragment] = (time.monotonic() + interval, interval)
        return True

    def _next(self) -> tuple[str, float]:
        if not self.due:
            return "", time.monotonic() + 0.5
        fragment, (moment, _) = min(self.due.items(), key=lambda one: one[1][0])
        return fragment, moment

    async def _run(self, trigger: WidgetState | None = None, fragment: str = "") -> None:
        self._in_fragment = bool(fragment)
        message = BackMsg()
        rerun = message.rerun_script
        rerun.query_string, rerun.page_name = self.query, self.page
        rerun.fragment_id, rerun.is_auto_rerun = fragment, bool(fragment)
        rerun.context_info.url = self.base
        rerun.widget_states.widgets.extend(
            [*self._states.values(), *([trigger] if trigger else [])]
        )
        await self._socket.send(message.SerializeToString())
        while not await self._receive():
            pass

    async def _receive(self) -> bool:
        """Take in one message; true if it ends a run that is not followed by another."""
        received = await asyncio.wait_for(self._socket.recv(), PATIENCE)
        assert isinstance(received, bytes)
        self.heard(received)
        message = ForwardMsg()
        message.ParseFromString(received)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session = message.new_session.initialize.session_id
            if not self._in_fragment:
                self.elements.clear()
                self.due.clear()
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self.elements[tuple(message.metadata.delta_path)] = message.delta.new_element
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            rerun = message.auto_rerun
            moment = time.monotonic() + rerun.interval
            self.due.setdefault(rerun.fragment_id, (moment, rerun.interval))
        elif kind == "file_urls_response":
            self._urls = list(message.file_urls_response.file_urls)
        if kind != "script_finished":
            return False
        is_early = message.script_finished == _EARLY
        self._in_fragment = self._in_fragment and not is_early
        return not is_early


# Another run follows at once, as after `st.rerun`.
_EARLY = ForwardMsg.FINISHED_EARLY_FOR_RERUN


def _xsrf_cookie(base: str) -> str:
    with urlopen(f"{base}/_stcore/health", timeout=PATIENCE) as answer:
        found = re.search(r"_streamlit_xsrf=([^;]+)", str(answer.headers))
    return found[1] if found else ""
