"""A recorded comparison where none has run here yet: labelled, pale, replayed on request.

It is folded from its events and drawn by the same pieces as a job's; it only looks paler, and
every place where its numbers stand says that they were recorded.
"""

from dataclasses import dataclass
from time import monotonic

import streamlit as st

from tl_core import curves, recording
from tl_core.catalog import Model
from tl_core.config import ComparisonConfig
from tl_core.curves import Line
from tl_core.datasets import Dataset
from tl_core.record import Record
from tl_core.recording import Recording
from tl_core.wording import duration, number_of
from tl_ui import chart, current, lesson_link, scoreboard, strategy_table, take_away, verdict_view
from tl_ui.follow import Followed, bring_up
from tl_ui.widgets import safe_label

REPLAY_SECONDS, LOOK_SECONDS = 6.0, 0.3
_KEY = "replay"


@dataclass(frozen=True)
class Recorded:
    """A recording and what follows from it."""

    recording: Recording
    followed: Followed

    @property
    def label(self) -> str:
        """Where and when it was made, for Markdown."""
        return safe_label(self.recording.label, 200)


def find(data: Dataset | None, config: ComparisonConfig) -> Recorded | None:
    """Return the recording of a comparison's data, model and weights, whatever its plan.

    None where a lesson link hides what would tell the answer before the guess.
    """
    if data is None or lesson_link.hidden("recorded"):
        return None
    found = recording.matching(data, config.backbone, config.weights_sha256)
    return Recorded(found, _followed(repr(found.facts), found)) if found else None


def of_job(config: ComparisonConfig | None) -> Recorded | None:
    """Return the recording that belongs to a job."""
    return find(current.load(config.data.fingerprint), config) if config else None


@st.cache_resource(show_spinner=False, max_entries=16)
def _followed(facts: str, _recording: Recording) -> Followed:
    return bring_up(Followed(_recording.found()))


def section(shown: Recorded, config: ComparisonConfig, row: Model, line: Line) -> None:
    """Show the label, the replay, chart and cards in the place of those of a comparison."""
    _head(shown, config)
    if shown.followed.said is not None:
        verdict_view.lead(shown.followed.found, shown.followed.said)
    every = LOOK_SECONDS if _position(shown) is not None else None
    st.fragment(_look, run_every=every)(shown, row, line)


def details(shown: Recorded) -> None:
    """Show the recording's reasons and table."""
    followed = shown.followed
    st.subheader("What else the recording found", anchor=False)
    with st.container(gap="xxsmall"):
        if followed.said is not None:
            verdict_view.reasons(followed.found, followed.said)
        verdict_view.source(followed.found)
    st.subheader("All strategies, recorded and by the textbook", anchor=False)
    st.caption(f":material/history: {shown.label}. Nothing in this table was measured here.")
    name = f"recorded_{shown.recording.facts.sample}"
    strategy_table.recorded(followed, name, shown.recording)
    take_away.recorded(followed, shown.recording)


def _head(shown: Recorded, config: ComparisonConfig) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        said = f"**{shown.label}.** Press Compare strategies to run it here."
        st.caption(f":material/history: {said}{_other_settings(shown.recording, config)}")
        replaying = _position(shown) is not None
        st.button(
            "Stop" if replaying else "Replay",
            icon=":material/stop:" if replaying else ":material/replay:",
            on_click=_end if replaying else _begin,
            args=() if replaying else (shown,),
            key="replay_button",
        )


def _other_settings(recorded: Recording, config: ComparisonConfig) -> str:
    """Say what was recorded where it is not what would be run now."""
    then = recorded.started.config
    others = []
    if (then.strategies, then.seeds, then.budget) != (
        config.strategies,
        config.seeds,
        config.budget,
    ):
        strategies = number_of(len(then.strategies), "strategy", "strategies")
        others.append(f"{strategies}, {number_of(then.seeds, 'seed')}, {then.budget} budget")
    if then.class_map != config.class_map:
        others.append("another class map")
    if bool(then.data.probe) != bool(config.data.probe):
        others.append("with source images" if then.data.probe else "without source images")
    return f" Recorded with other settings than yours: {'; '.join(others)}." if others else ""


def _begin(shown: Recorded) -> None:
    st.session_state[_KEY] = (shown.recording.facts.sample, monotonic())


def _end() -> None:
    st.session_state.pop(_KEY, None)


def _position(shown: Recorded) -> float | None:
    """Return the second of the recording that a replay has come to, None without one.

    Looked up on a clock: nothing waits for it, and a late look shows what is due by then.
    """
    sample, began = st.session_state.get(_KEY, ("", 0.0))
    if sample != shown.recording.facts.sample:
        return None
    share = (monotonic() - began) / REPLAY_SECONDS
    return share * shown.recording.seconds if share < 1 else None


def _look(shown: Recorded, row: Model, line: Line) -> None:
    at = _position(shown)
    if at is None and _KEY in st.session_state:
        _end()
        st.rerun()  # the interval belongs to the whole page
    whole = shown.followed.found
    begun = shown.recording.moments[0][0]
    found = whole if at is None else shown.recording.found(max(at, begun))
    wanted = chart.view(whole)
    # At rest the picture is the same for everybody who looks; a replay's frames are its own.
    mark = (repr((shown.recording.facts, line)), 0) if at is None else None
    chart.live(Record(), wanted, [line], recorded=found, mark=mark)
    lines = [
        line,
        *(ln for ln in curves.reference_lines(found, "accuracy") if ln.strategy != curves.MAJORITY),
    ]
    chart.legend(whole.strategies, lines, recorded=True)
    if at is None:
        st.caption(
            f"The recorded run took {duration(shown.recording.seconds)}. Curves show validation "
            "images while training, cards the result on test images. Dashed: strategies without "
            "a training loop."
        )
    else:
        st.caption(
            f":material/history: Replaying the recording: {at:.0f} of "
            f"{shown.recording.seconds:.0f} seconds, "
            f"{max(1, round(shown.recording.seconds / REPLAY_SECONDS))} times as fast."
        )
    ended = {r.strategy for r in shown.followed.rows} if at is None else _all_ended(whole, found)
    scoreboard.replay(shown.followed, row, ended)


def _all_ended(whole: Record, found: Record) -> set[str]:
    """Return the strategies of which every run has ended by now."""
    names = [strategy.name for strategy in whole.strategies]
    return {name for name in names if 0 < len(whole.final(name)) == len(found.final(name))}
