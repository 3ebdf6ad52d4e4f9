"""Which comparison the Trust page is about: that of the address, else the latest finished one."""

from datetime import datetime

import streamlit as st

from tl_core.store import Comparison
from tl_ui import current, theme
from tl_ui.widgets import plain_label

# Finished comparisons that are offered; older ones open from History by way of the Lab.
OFFERED = 200
_KEY = "trust_job"


def section() -> Comparison | None:
    """Show the choice and return the comparison, None where there is nothing to judge."""
    wanted = st.query_params.get("job")
    named = current.store().get(wanted) if wanted else None
    if wanted and (named is None or named.kind != "compare"):
        st.warning(
            "That comparison is no longer here. It may have been deleted. Shown is the latest.",
            icon=":material/search_off:",
        )
        named = None
    jobs = current.store().list(limit=OFFERED, kind="compare")
    finished = {job.id: job for job in jobs if job.status == "done"}
    if named is not None:
        finished = {named.id: named, **finished}
    if not finished:
        _nothing()
        return None
    chosen = named or next(iter(finished.values()))
    # The address decides: a link to another comparison is not overruled by what was chosen before.
    st.session_state[_KEY] = chosen.id
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Comparison",
            list(finished),
            format_func=lambda job: _label(finished[job]),
            key=_KEY,
            on_change=_open,
            width=560,
        )
        st.page_link(
            theme.LAB,
            label="Open it in the Lab",
            icon=":material/arrow_back:",
            query_params={"job": chosen.id},
        )
    return chosen


def _open() -> None:
    st.query_params["job"] = st.session_state[_KEY]


def _label(job: Comparison) -> str:
    moment = datetime.fromtimestamp(job.ended or job.created)
    unfinished = "" if job.status == "done" else f", {theme.STATUS[job.status][0]}"
    return f"{plain_label(job.name, 60)}, {moment:%d %b, %H:%M}{unfinished}"


def _nothing() -> None:
    st.info(
        "Nothing has been compared to the end yet. Compare strategies in the Lab; then this page "
        "says what can be relied on, and what cannot.",
        icon=":material/verified_user:",
    )
    st.page_link(theme.LAB, label="Go to the Lab", icon=":material/experiment:")
