"""What surrounds every page: navigation, the guard against running without it, the status strip."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from streamlit.navigation.page import Page

from tl_core.catalog import catalog
from tl_core.config import ComparisonConfig
from tl_core.store import Comparison
from tl_core.wording import number_of
from tl_ui import current, identity, lesson_link, queue_place, theme
from tl_ui.widgets import leave_flash, safe_label

_ROOT = Path(__file__).resolve().parents[1]
# A file: Streamlit would fetch the picture of an icon or emoji from elsewhere.
ICON = _ROOT / "tl_ui" / "favicon.png"
_MARK = "_shell"
# In the dark one primary colour cannot carry white text on buttons and be text on the chosen
# segment: there it had a contrast of 3.6 to 1, and 4.5 are needed.
_LEGIBLE = """<style>
[data-testid="stButtonGroup"] :is([aria-checked="true"], [aria-pressed="true"]) * {
    color: light-dark(#2b44b5, #a9b8ff);
}
</style>"""
# Jobs that have an address of their own.
_ADDRESSED = ("compare", "sweep")
_LOCAL = {None, "localhost", "127.0.0.1", "::1"}


def pages() -> list[Page]:
    """Return the pages in the order of the navigation; the first opens by default.

    Without icons: the browser would fetch each as the tab's picture from outside.
    """
    return [
        st.Page(
            _ROOT / theme.LAB,
            title="Lab",
            default=True,
            help="Compare transfer-learning strategies on your images and read the verdict.",
        ),
        st.Page(
            _ROOT / theme.DATA,
            title="Data",
            visibility="hidden" if lesson_link.hidden("data") else "visible",
            help="Choose sample images or bring your own; see what was taken and what was not.",
        ),
        st.Page(
            _ROOT / theme.MODEL,
            title="Model & layers",
            visibility="hidden" if lesson_link.hidden("model") else "visible",
            help="Choose the pretrained model, get its weights, decide which blocks are frozen.",
        ),
        st.Page(
            _ROOT / theme.TRUST,
            title="Trust",
            help="What a finished comparison cannot be relied on for, and how sure it should be.",
        ),
        st.Page(
            _ROOT / theme.WHAT_IF,
            title="What if",
            help="Would more data help? How deep, how long, which rate? Vary one thing, measure.",
        ),
        st.Page(
            _ROOT / theme.HISTORY,
            title="History",
            help="All comparisons, newest first: open, rename, continue or delete them.",
        ),
        st.Page(
            _ROOT / theme.PITFALLS,
            title="Pitfalls",
            help="What goes wrong when models are reused: predict it, see it happen, undo it.",
        ),
        st.Page(
            _ROOT / theme.LESSONS,
            title="Lessons",
            help="Ready lessons for a class: predict, run, see; and what a class has found.",
        ),
        st.Page(
            _ROOT / theme.ROOM,
            title="Room",
            visibility="visible" if identity.is_teacher() else "hidden",
            help="How people get in, who is here, the queue, and what everybody has found.",
        ),
    ]


def navigate() -> Page:
    """Show the navigation and return the page to run."""
    page = st.navigation(pages(), position="top")
    if st.session_state.get("_page") != page.title:
        leave_flash()
        st.session_state["_page"] = page.title
    return page


@contextlib.contextmanager
def marked() -> Iterator[None]:
    """Tell pages inside that they run under the shell."""
    st.session_state[_MARK] = True
    try:
        yield
    finally:
        st.session_state.pop(_MARK, None)


def require_shell() -> None:
    """First line of every page: go through app.py if Streamlit found the page by itself.

    Until some session has called `st.navigation`, Streamlit runs files of `pages/` for deep links
    without app.py; calling it once turns that off.
    """
    if not st.session_state.get(_MARK):
        st.navigation(pages(), position="hidden")
        st.rerun()


def strip() -> None:
    """Show where images stay, the device, data, model, and what is being computed."""
    st.html(_LEGIBLE)
    waits_for_device = current.store().device() is None
    every = 2.0 if waits_for_device else (4.0 if _active() else None)
    st.fragment(_strip, run_every=every)()


def _active() -> list[Any]:
    return current.store().list(limit=20, active=True)


def _strip() -> None:
    identity.still_here()  # whoever only watches runs no more than this
    parts = [f":material/lock: {_place()}", f":material/memory: {_device()}", _data(), _model()]
    active = _active()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="strip"):
        st.caption(" &nbsp;·&nbsp; ".join(parts), width="content")
        if active:
            running = next((job for job in active if job.status == "running"), active[0])
            st.page_link(
                theme.PAGE_OF_KIND.get(running.kind, theme.MODEL),
                label=_under_way(len(active), running),
                icon=":material/progress_activity:",
                query_params={"job": running.id} if running.kind in _ADDRESSED else None,
                help=safe_label(running.name),
            )
    notice = current.store().notice()
    if notice:
        st.warning(notice, icon=":material/hard_drive:")
    _tell_endings({job.id: job.name for job in active})


def _under_way(count: int, first: Comparison) -> str:
    when = queue_place.brief(first) if first.status == "queued" else ""
    word = theme.STATUS[first.status][0]
    return f"{number_of(count, 'job')} {word}{when and ', '}{when}"


def _tell_endings(active: dict[str, str]) -> None:
    """Announce jobs that were active when this session last looked and no longer are."""
    before = st.session_state.get("_watched", {})
    st.session_state["_watched"] = active
    for job, name in before.items():
        ended = None if job in active else current.store().get(job)
        if ended is not None:
            word, icon, _ = theme.STATUS[ended.status]
            st.toast(f"{safe_label(name)}: {word}", icon=icon)


def _place() -> str:
    host = urlsplit(st.context.url or "").hostname
    if host in _LOCAL:
        return "Images stay on this machine"
    return "Images stay on the machine that runs this app"


def _device() -> str:
    report = current.store().device()
    if report is None:
        return "Device: being looked at"
    kind = {"cpu": "CPU", "cuda": "GPU", "mps": "Apple GPU"}.get(report["device"], "")
    name = safe_label(report.get("device_name", ""), 60)
    return kind if not name or name == kind else f"{kind} ({name})"


def _shown() -> ComparisonConfig | None:
    """Return the configuration of the comparison that the address shows, if it shows one."""
    wanted = st.query_params.get("job")
    job = current.store().get(wanted) if wanted else None
    return job.config if job is not None else None


def _data() -> str:
    shown = _shown()
    data = current.dataset() if shown is None else current.load(shown.data.fingerprint)
    if data is None:  # deleted since
        return f":material/image: {safe_label(shown.data.name if shown else '', 40)}"
    classes = number_of(len(data.classes), "class", "classes")
    counts = f"{number_of(len(data.images), 'image')}, {classes}"
    return f":material/image: {safe_label(data.name, 40)}: {counts}"


def _model() -> str:
    shown = _shown()
    row = current.model() if shown is None else catalog().get(shown.backbone, current.model())
    here = "" if shown or current.weights_file() else " (weights not here yet)"
    return f":material/deployed_code: {row.title}{here}, {_licence(row.weights.weights_licence)}"


def _licence(text: str) -> str:
    """Return the licence's name, which precedes its explanation."""
    name = re.split(r"[,;:]|\.(?: |$)", text)[0].strip()
    return "weights without a stated licence" if name.lower().startswith("none") else name
