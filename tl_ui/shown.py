"""Which strategies a result shows: one choice, for each comparison, that the whole page follows."""

from collections.abc import Collection, Mapping, Sequence

import streamlit as st

from tl_core import marks
from tl_core.curves import colour
from tl_core.record import narrowed
from tl_core.wording import listed, lowered
from tl_ui import redraw
from tl_ui.follow import Followed
from tl_ui.widgets import safe_label

_KEY = "shown_strategies"


def names(job: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return the strategies to show, in the order given: all unless some were chosen."""
    chosen = _choices().get(job, ())
    return tuple(name for name in known if name in chosen) or tuple(known)


def choose(job: str, wanted: Collection[str]) -> None:
    """Show only these strategies from now on; none means all."""
    _choices()[job] = tuple(wanted)
    redraw.ask()


def toggle(job: str, name: str, known: Sequence[str]) -> None:
    """Show a strategy alone if all are shown; else add it, or leave it out."""
    chosen = names(job, known)
    if len(chosen) == len(known):
        choose(job, [name])
    else:
        choose(job, {*chosen} ^ {name})


def part(followed: Followed, wanted: Collection[str]) -> Followed:
    """Return what is known of some strategies; places and differences stay those among all."""
    if len(wanted) == len(followed.rows):
        return followed
    rows = [row for row in followed.rows if row.strategy in wanted]
    return Followed(
        narrowed(followed.found, wanted), followed.after, followed.made_of, rows, followed.said
    )


def pills(job: str, titles: Mapping[str, str]) -> None:
    """Let the user choose among all strategies by name."""
    key = f"shown_{job[:8]}"
    chosen = names(job, list(titles))
    st.session_state[key] = [] if len(chosen) == len(titles) else list(chosen)
    st.pills(
        "Show only",
        list(titles),
        selection_mode="multi",
        format_func=lambda name: marked(name, titles[name]),
        key=key,
        on_change=lambda: choose(job, st.session_state[key]),
        label_visibility="collapsed",
        help="Nothing chosen: all are shown.",
        wrap=True,
    )
    words(job, titles)


def words(job: str, titles: Mapping[str, str], key: str = "") -> None:
    """Say which strategies are shown, with the way back to all; nothing where all are.

    `key` tells several places of one page apart.
    """
    chosen = names(job, list(titles))
    if len(chosen) == len(titles):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        said = listed([lowered(titles[name]) for name in chosen])
        st.markdown(
            f":material/filter_alt: Shown: {safe_label(said, 300)}, {len(chosen)} of "
            f"{len(titles)} strategies. Places and differences are still those among all.",
            width="content",
        )
        st.button(
            "Show all",
            icon=":material/filter_alt_off:",
            key=f"shown_all{key}",
            on_click=choose,
            args=(job, ()),
        )


def marked(name: str, title: str) -> str:
    """Return a strategy's title behind a mark in its colour, for Markdown."""
    return f"{mark(name)} {safe_label(title, 60)}"


def mark(name: str) -> str:
    """Return a strategy's sign in its colour, for Markdown."""
    return f':color[{marks.mark(name).sign}]{{foreground="{colour(name)}"}}'


def _choices() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = st.session_state.setdefault(_KEY, {})
    return found
