"""What if, before anything runs: the question, what it varies, how long it takes, one button."""

from datetime import datetime

import msgspec
import streamlit as st

from tl_core.config import ComparisonConfig, NotPossible
from tl_core.limits import BadInput
from tl_core.store import Comparison
from tl_core.sweep import SWEEP_NAMES, Sweep, SweepName
from tl_core.sweep_estimate import sweep_seconds
from tl_core.sweep_points import SWEEPS, points
from tl_core.wording import duration, number_of
from tl_ui import current, shown, sweep_base, sweep_jobs, sweep_live, theme
from tl_ui.sweep_base import Base
from tl_ui.widgets import safe_label

# Only what is trained step by step is changed by these.
_ONLY_TRAINED: frozenset[SweepName] = frozenset({"rate", "steps", "augmentation", "regularisation"})


def show() -> None:
    """Show the eight questions, the plan of the chosen one, and what was asked before."""
    st.caption(
        "Vary one thing, hold everything else equal, and measure it on your images: same test "
        "images, same seeds, and no trials in between."
    )
    base = sweep_base.section()
    name: SweepName = st.segmented_control(
        "Question",
        SWEEP_NAMES,
        default="labels",
        required=True,
        format_func=sweep_jobs.ASKED.__getitem__,
        key="sweep_name",
        persist_state="session",
        label_visibility="collapsed",
        wrap=True,
    )
    with st.container(border=True):
        _plan(name, base)
    _earlier(base.config.data.fingerprint)


def _plan(name: SweepName, base: Base) -> None:
    kind = SWEEPS[name]
    st.subheader(kind.question, anchor=False)
    st.markdown(kind.says)
    config = _chosen(name, base)
    sweep, reason = _made(name, config, base)
    if sweep is not None:
        labels = ", ".join(safe_label(point.label, 40) for point in sweep.points)
        unit = sweep_live.unit(sweep, sweep.points[-1].label)
        st.markdown(f"**{number_of(len(sweep.points), 'point')}:** {labels}{unit}")
        st.caption(f"Held equal: {kind.held} Needed: {kind.needs}")
        for note in sweep.notes:
            st.caption(f":material/info: {safe_label(note, 300)}")
    _button(sweep, config, base, reason)


def _chosen(name: SweepName, base: Base) -> ComparisonConfig:
    """Let strategies and seeds be changed; return the base with them."""
    strategies = base.config.strategies
    names, seeds = tuple(s.name for s in strategies), base.config.seeds
    if name != "depth":
        titles = {s.name: s.title for s in strategies}
        trained = [s.name for s in strategies if s.solver == "steps"]
        names = tuple(
            st.pills(
                "Strategies",
                list(titles),
                default=trained if name in _ONLY_TRAINED and trained else list(titles),
                selection_mode="multi",
                format_func=lambda each: shown.marked(each, titles[each]),
                key=f"sweep_strategies_{name}_{'_'.join(titles)}",
                persist_state="session",
            )
        )
    seeds = st.segmented_control(
        "Seeds",
        sorted({1, 3, seeds}),
        default=seeds,
        required=True,
        key=f"sweep_seeds_{seeds}",
        persist_state="session",
        help="More seeds test more images and show how much luck there is.",
    )
    return sweep_base.narrowed(base, names, seeds)


def _made(name: SweepName, config: ComparisonConfig, base: Base) -> tuple[Sweep | None, str]:
    """Return the sweep, or None with the reason why it cannot be."""
    if base.reason:
        return None, base.reason
    if not config.strategies:
        return None, "Choose at least one strategy."
    try:
        return points(name, config, None, base.settings), ""
    except (NotPossible, BadInput) as error:
        return None, str(error)


def _button(sweep: Sweep | None, config: ComparisonConfig, base: Base, reason: str) -> None:
    store, seconds = current.store(), None
    if sweep is not None:
        seconds = sweep_seconds(sweep, base.ready.counts, store.device(), store.speeds())
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Measure it",
            type="primary",
            icon=":material/play_arrow:",
            key="sweep_start",
            disabled=sweep is None,
            on_click=sweep_jobs.start,
            args=(sweep, _kept(config, base)),
        )
        if seconds is not None:
            st.caption(
                f"about {duration(seconds)}; what is finished already is taken over",
                width="content",
            )
    if reason:
        st.markdown(f":material/info: {safe_label(reason, 400)}")


def _kept(config: ComparisonConfig, base: Base) -> ComparisonConfig:
    """Return the comparison with what trials chose for its strategies, to be named in a command."""
    names = {s.name for s in config.strategies}
    chosen = {name: one for name, one in base.settings.items() if name in names}
    return msgspec.structs.replace(config, settings=chosen)


def _earlier(fingerprint: str) -> None:
    """List the sweeps on these data; each opens again."""
    jobs = sweep_jobs.on_data(fingerprint)
    st.subheader("Asked before on these data", anchor=False)
    if not jobs:
        st.caption("Nothing yet. Choose a question above and press Measure it.")
        return
    for job in jobs:
        _line(job)


def _line(job: Comparison) -> None:
    sweep = sweep_jobs.sweep_of(job)
    if sweep is None:
        return
    word, icon, colour = theme.STATUS[job.status]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.page_link(
            theme.WHAT_IF,
            label=f"**{sweep_jobs.ASKED[sweep.name]}**",
            icon=":material/arrow_forward:",
            query_params={"job": job.id},
        )
        st.badge(word, icon=icon, color=colour)
        moment = datetime.fromtimestamp(job.started or job.created)
        points_text = number_of(len(sweep.points), "point")
        st.caption(f"{points_text}, {moment:%d %b, %H:%M}", width="content")
