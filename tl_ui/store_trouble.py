"""What stands in place of the pages when the history is damaged: what happened, the ways out."""

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import streamlit as st

from tl_core import owners, summaries
from tl_core.store import Comparison, StoreDamaged, StoreError, backups, replacing, store_path
from tl_core.wording import duration, number_of, percent
from tl_ui import shell, stored, theme
from tl_ui.widgets import flash, plain_label, problem, show_flash

# Comparisons that are listed, newest first.
MOST = 500
_READING = "_reads_damaged"


def meet() -> None:
    """Go on if the history is sound, or is to be read as it is; else show the ways out and stop."""
    try:
        wrong = stored.wrong()
        if not wrong:
            stored.whole_store()
            return
    except StoreError as error:
        _alone()
        st.title("The history cannot be opened")
        problem(error)
        st.stop()
    if st.session_state.get(_READING):
        _banner()
        return
    _alone()
    _page(wrong)
    st.stop()


def is_sound() -> bool:
    """Return whether jobs may run."""
    return not stored.wrong()


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Show the ways out when a page meets damage that nobody had met before."""
    try:
        yield
    except StoreDamaged:
        if not stored.wrong():
            stored.damage_found()
            st.rerun()
        problem("This part of the history can no longer be read.")


def _alone() -> None:
    """Have Streamlit know the pages, as on every other run, without showing them."""
    st.navigation(shell.pages(), position="hidden")


def _page(wrong: str) -> None:
    st.title("The history is damaged")
    show_flash()
    st.markdown(
        f"{wrong} Nothing is written to it any more, and nothing is lost that can still be read. "
        "Data sets, weights and finished models lie elsewhere and are not affected."
    )
    if not _may_decide():
        st.info("Whoever runs this server can bring a backup back.", icon=":material/support:")
        return
    _ways_out()
    jobs = _readable()
    if jobs:
        st.subheader("What can still be read", anchor=False)
        _table(jobs)
        st.button("Look at these, without changing anything", on_click=_read_on)


def _may_decide() -> bool:
    """Return whether the history belongs to whoever asks; in a room it is everybody's."""
    with contextlib.suppress(owners.NoOwner):
        return owners.current() == owners.LOCAL
    return False


def _ways_out() -> None:
    newest = backups.newest_sound(store_path())
    if newest is None:
        st.info("There is no backup yet: one is made every day.", icon=":material/backup:")
    else:
        age = duration(max(60.0, time.time() - newest.made))
        st.markdown(
            f"The newest backup is **{age}** old (of {_day(newest.made)}) and holds "
            f"**{number_of(newest.comparisons, 'comparison')}**."
        )
    with st.container(horizontal=True):
        if newest is not None:
            st.button(
                "Go back to this backup",
                type="primary",
                icon=":material/settings_backup_restore:",
                on_click=_replace,
                args=(newest.path, "The backup is back."),
            )
        st.button(
            "Begin an empty history",
            icon=":material/note_add:",
            on_click=_replace,
            args=(None, "An empty history has begun."),
        )
    st.caption(
        "Either way the damaged file is kept, in the folder `replaced` of the data directory. On "
        "the command line: `python -m tl_core restore latest`, or `restore --empty`."
    )


def _replace(backup: Path | None, said: str) -> None:
    put: Callable[[], Path | None] = (
        (lambda: replacing.begin_empty(store_path()))
        if backup is None
        else (lambda: replacing.restore(store_path(), backup))
    )
    try:
        put()
    except StoreError as error:
        flash(plain_label(error, 500), ":material/error:")
    else:
        flash(f"{said} The damaged file is kept.")


def _read_on() -> None:
    st.session_state[_READING] = True


def _go_back() -> None:
    st.session_state.pop(_READING, None)


def _banner() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(
            "The history is damaged and is only read: nothing can be started or changed.",
            icon=":material/lock:",
        )
        st.button("Bring it back …", on_click=_go_back)


def _readable() -> list[Comparison]:
    """Return what can be listed of a damaged history."""
    with contextlib.suppress(StoreError):
        return stored.whole_store().list(limit=MOST, kind="compare")
    return []


def _table(jobs: list[Comparison]) -> None:
    found = [summaries.known(job) for job in jobs]
    st.dataframe(
        {
            "Comparison": [plain_label(job.name, 80) for job in jobs],
            "Status": [theme.STATUS[job.status][0] for job in jobs],
            "Asked for": [_day(job.created) for job in jobs],
            "Recommended": [one.strategy if one else None for one in found],
            "Accuracy": [percent(one.accuracy) if one else None for one in found],
        },
        hide_index=True,
        placeholder="–",
        height=38 + 35 * min(len(jobs), 10),
        alt=f"{number_of(len(jobs), 'comparison')} that can still be read",
    )


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment).strftime("%d %b %Y, %H:%M")
