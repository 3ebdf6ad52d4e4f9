"""Small pieces that pages share: user text made harmless, notices, thumbnails, undo."""

import re
from collections.abc import Callable, Iterable, Sequence

import streamlit as st

from tl_core import datasets
from tl_core.datasets import Dataset
from tl_core.labels import CUT, plain_label
from tl_ui.theme import THUMBNAIL_WIDTH

# Invisible and unbreakable. Streamlit rewrites shortcodes, addresses and arrows after escapes are
# resolved, so only a character in between keeps the text as it is.
_JOINER = "\u2060"
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_REWRITTEN = re.compile(r"(?<=:)(?=[\w/+-])|(?<=www)(?=\.)|(?=@)|(?<=[-<>=~])(?=[-<>=~])", re.I)


def safe_label(text: object, limit: int = CUT) -> str:
    """Return user text that Markdown-rendering widgets show literally, cut at `limit`.

    No markup, link, picture, emoji shortcode, icon, formula, HTML or change of direction survives.
    """
    spaced = _REWRITTEN.sub(_JOINER, plain_label(text, limit))
    return _PUNCTUATION.sub(r"\\\1", spaced)


def problem(message: object, details: Sequence[str] = ()) -> None:
    """Show what went wrong and what to do, every single fault below."""
    st.error(safe_label(message, limit=2000), icon=":material/error:")
    if details:
        listed("All faults", details)


def listed(title: str, lines: Sequence[str], *, expanded: bool = False) -> None:
    """Show lines of user text in a fold that says how many there are."""
    with st.expander(f"{title} ({len(lines):,})", expanded=expanded):
        st.dataframe(
            {title: [plain_label(line, 400) for line in lines]},
            hide_index=True,
            height=min(38 + 35 * len(lines), 320),
            alt=f"{title}: {len(lines)} lines",
        )


def thumbnails(dataset: Dataset, images: Iterable[int], width: int = THUMBNAIL_WIDTH) -> None:
    """Show small pictures in a row that wraps; `images` are indices into the data set."""
    with st.container(horizontal=True, gap="xsmall"):
        for index in images:
            record = dataset.images[index]
            label = plain_label(dataset.classes[record.label], 60)
            st.image(thumbnail(dataset, index), width=width, alt=f"{label}: {record.name[-60:]}")


def thumbnail(dataset: Dataset, index: int) -> bytes:
    """Return the small picture's bytes, kept in memory by content."""
    return _thumbnail(dataset.images[index].pixels, dataset, index)


@st.cache_data(max_entries=4000, show_spinner=False)
def _thumbnail(pixels: str, _dataset: Dataset, _index: int) -> bytes:
    return datasets.thumbnail(_dataset, _index)


def flash(
    message: str,
    icon: str = ":material/check:",
    undo: Callable[[], None] | None = None,
    place: str = "",
) -> None:
    """Keep a notice, optionally with an undo, for the next run: widgets can be reset meanwhile.

    `message` is Markdown; user text in it has gone through `safe_label`. `place`: the part of a
    long page that shows it, the page's top by default.
    """
    st.session_state["_flash"] = (message, icon, undo, place)
    st.session_state["_flash_seen"] = False


def show_flash(place: str = "") -> None:
    """Show a place's kept notice, until the next one, until it is closed, or the page is left."""
    kept = st.session_state.get("_flash")
    if kept is None or kept[3] != place:
        return
    message, icon, undo, _ = kept
    st.session_state["_flash_seen"] = True
    with st.container(horizontal=True, vertical_alignment="center", key="flash"):
        st.markdown(f"{icon} {message}", width="content")
        if undo is not None:
            st.button(
                "Undo", key="flash_undo", icon=":material/undo:", on_click=_undo, args=(undo,)
            )
        st.button("Close", key="flash_close", type="tertiary", on_click=_forget_flash)


def leave_flash() -> None:
    """Forget a notice that has been shown: another page is opened."""
    if st.session_state.get("_flash_seen"):
        _forget_flash()


def _undo(undo: Callable[[], None]) -> None:
    _forget_flash()
    undo()


def _forget_flash() -> None:
    st.session_state.pop("_flash", None)
