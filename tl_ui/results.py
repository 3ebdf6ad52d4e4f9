"""The Lab after a run: verdict, finished chart, scoreboard, table; partial results say so."""

import streamlit as st

from tl_core import curves, figures
from tl_core.catalog import catalog
from tl_core.events import RunFailed
from tl_core.record import Record
from tl_core.speeds import measured_speeds
from tl_core.store import Comparison
from tl_core.tables import memory_note
from tl_core.wording import duration
from tl_ui import (
    balance_effect,
    chart,
    closer_looks,
    current,
    guess,
    launch,
    plots,
    range_view,
    redraw,
    scoreboard,
    shown,
    strategy_table,
    take_away,
    theme,
    verdict_view,
)
from tl_ui.follow import Followed, follow
from tl_ui.lab_setup import COLUMNS
from tl_ui.live import launch_plan
from tl_ui.looked import Looked
from tl_ui.widgets import safe_label


def show(job: Comparison) -> None:
    """Show a comparison that has ended, however it ended."""
    followed = follow(job.id)
    found = followed.found
    _learn(job, found)
    _head(job, followed)
    if found.started is None:
        st.info("Nothing was measured before it ended.", icon=":material/info:")
        return
    if found.started.config.rate_range is not None:
        range_view.section(found)
        _failures(found)
        with st.expander("Take it away: report, files, commands", icon=":material/download:"):
            take_away.section(job, followed)
        return
    guess.show(job, followed)
    redraw.settle()
    wanted = shown.names(job.id, [row.strategy for row in followed.rows])
    part = shown.part(followed, wanted)
    left, right = st.columns(COLUMNS, gap="medium")
    with left:
        _summary(job, followed)
        beside = st.container()
    with right:
        if len(followed.rows) > 1:
            shown.pills(job.id, _titles(followed))
        _chart(part)
        _dots(part)
    with st.container() if scoreboard.stands_below(len(followed.rows)) else beside:
        scoreboard.finished(job.id, followed, catalog().get(found.started.config.backbone))
    if followed.rows:
        st.subheader("All strategies, measured and by the textbook", anchor=False)
        st.fragment(strategy_table.measured)(job.id, followed, wanted)
    if any(row.test_accuracy is not None for row in part.rows):
        closer_looks.section(Looked(job, followed, wanted))
    balance_effect.section(job, found)
    if note := memory_note(found):
        st.info(note, icon=":material/memory:")
    verdict_view.source(found)
    _failures(found)
    with st.expander("Take it away: report, files, commands", icon=":material/download:"):
        take_away.section(job, followed)


def _summary(job: Comparison, followed: Followed) -> None:
    if followed.said is not None:
        verdict_view.show(followed.found, followed.said)
        st.page_link(
            theme.TRUST,
            label="Can I trust it?",
            icon=":material/verified_user:",
            query_params={"job": job.id},
            help="Flags that this comparison raises, how sure each strategy should be, which "
            "images are served worse, what mistakes cost.",
        )
    _more_seeds(job, followed.found)


def _titles(followed: Followed) -> dict[str, str]:
    """Return the strategies' titles in the order of the rows."""
    titles = {strategy.name: strategy.title for strategy in followed.found.strategies}
    return {row.strategy: titles[row.strategy] for row in followed.rows}


def _chart(part: Followed) -> None:
    wanted = chart.view(part.found)
    chart.finished(part.found, wanted)
    chart.legend(part.found.strategies, curves.reference_lines(part.found, "accuracy"))
    several = max((r.seeds for r in part.rows), default=0) > 1
    band = " Bands span the seeds." if several else ""
    st.caption(
        "Validation images while training. Stars mark the best step; the last one is reported."
        f"{band}"
    )


def _head(job: Comparison, followed: Followed) -> None:
    title, _ = verdict_view.headline(followed.said)
    word, icon, colour = theme.STATUS[job.status]
    partial = job.status != "done" and bool(followed.found.ended)
    if not title:
        title = {
            "failed": "This comparison failed",
            "cancelled": "This comparison was cancelled",
        }.get(job.status, "Finished")
    st.header(safe_label(title), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if followed.said is not None and followed.said.recommended:
            recommended = "recommended so far" if partial else "recommended"
            st.badge(recommended, icon=":material/recommend:", color="green")
        st.badge(word, icon=icon, color=colour)
        if partial:
            st.badge("partial results", icon=":material/incomplete_circle:", color="orange")
        if job.config is not None and job.config.data.fingerprint in current.superseded():
            st.badge(theme.STALE, icon=":material/history:", color="orange", help=theme.STALE_HELP)
        if _failed(followed.found):
            st.badge("some runs failed", icon=":material/warning:", color="orange")
        st.caption(f"{safe_label(job.name)} · {duration(job.seconds)}", width="content")
        _actions(job)
    if job.reason:
        st.error(safe_label(job.reason, 600), icon=":material/error:")
    if partial:
        st.caption("Kept and shown: the runs that finished. The verdict is about these alone.")


def _actions(job: Comparison) -> None:
    config = job.config
    if job.status in ("failed", "cancelled"):
        st.button(
            "Continue",
            type="primary",
            icon=":material/play_arrow:",
            on_click=launch.resume,
            args=(job.id,),
            help="Goes on where it stopped; finished runs are kept.",
        )
    if config is not None:
        st.button(
            "Run again",
            icon=":material/replay:",
            on_click=launch.again,
            args=(config, job.name),
            help="A new comparison with the same settings. Runs that are finished are taken over.",
        )
        st.button(
            "Change one thing",
            icon=":material/tune:",
            on_click=launch.adopt,
            args=(config,),
            help="Back to the set-up with these settings.",
        )
    st.button("New comparison", icon=":material/add:", on_click=launch.leave)


def _more_seeds(job: Comparison, found: Record) -> None:
    """Offer two more seeds where they would add test images."""
    assert found.started is not None
    config = job.config
    if config is None or job.status != "done" or found.started.dataset.given_split:
        return
    wanted = config.seeds + 2
    planned = launch_plan(job, found)
    if wanted > 5 or planned is None:
        return
    seconds = (planned.seconds - planned.preparation) / config.seeds * 2
    st.button(
        f"2 more seeds, about {duration(seconds)}",
        icon=":material/exposure_plus_2:",
        on_click=launch.again,
        args=(config, job.name, wanted),
        help="More test images, narrower intervals. Finished runs are taken over.",
    )


def _dots(followed: Followed) -> None:
    if not any(row.test_accuracy is not None for row in followed.rows):
        return
    st.markdown("**Result: accuracy on test images, with 95% intervals**")
    figure = figures.accuracy_dots(followed.found, followed.rows)
    plots.show(
        figure,
        key="chart_dots",
        file="test-accuracy",
        alt=figures.describe(followed.found, followed.rows),
    )


def _failed(found: Record) -> list[RunFailed]:
    """Return runs that failed and did not succeed when the comparison was continued."""
    return [run for run_id, run in found.failed.items() if run_id not in found.ended]


def _failures(found: Record) -> None:
    for failed in _failed(found):
        title = f"{failed.run.strategy.title}, seed {failed.run.seed + 1}"
        st.warning(
            f"**{title} failed.** {safe_label(failed.reason, 400)}", icon=":material/warning:"
        )


def _learn(job: Comparison, found: Record) -> None:
    """Remember this machine's speed for later estimates, from its latest finished comparison."""
    learned = st.session_state.setdefault("learned_from", set())
    if job.status != "done" or job.id in learned:
        return
    learned.add(job.id)
    store = current.store()
    latest = next((j for j in store.list(kind="compare") if j.status == "done"), job)
    if latest.id == job.id:
        for key, value in measured_speeds(found).items():
            store.remember(key, value)
