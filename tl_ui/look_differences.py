"""Only differences: columns in which strategies differ, and another comparison side by side."""

from datetime import datetime

import streamlit as st

from tl_core import columns, settings
from tl_core.effects import Effect, effects
from tl_core.record import Record
from tl_core.store import Comparison
from tl_core.wording import number_of
from tl_ui import current, strategy_table, trust_parts
from tl_ui.follow import follow
from tl_ui.looked import Looked
from tl_ui.widgets import plain_label

_LOOK_BACK = 200


def section(of: Looked) -> None:
    """Show in what the shown strategies differ, and in what another comparison does."""
    _strategies(of)
    st.markdown("**Another comparison on the same data**")
    others = _others(of)
    if not others:
        st.caption(
            "There is no other finished comparison on these data. Change one thing, compare again, "
            "and see here what it did."
        )
        return
    chosen = st.selectbox(
        "Compared with",
        list(others),
        format_func=lambda job: _label(others[job]),
        key=of.key("differences_with"),
        width=560,
    )
    other = follow(chosen).found
    _settings(of, other)
    _effects(of, chosen, other)


def _strategies(of: Looked) -> None:
    measured = [row for row in of.rows if row.test_accuracy is not None]
    if len(measured) < 2:
        st.caption("One strategy alone differs from nothing. Show at least two.")
        return
    # Baselines stand below the strategies and have few columns.
    whole = columns.frame(of.found, measured, of.followed.said).head(len(measured))
    frame = columns.differing(whole)
    same = len(whole.columns) - len(frame.columns)
    st.dataframe(
        frame,
        hide_index=True,
        height=38 + 35 * len(frame),
        column_config=strategy_table.header_config(of.followed),
        placeholder="–",
        key=of.key("differences_table"),
        alt="Strategy table with only the columns in which the shown strategies differ",
    )
    st.caption(f"Left out as the same for all of them: {number_of(same, 'column')}.")


def _others(of: Looked) -> dict[str, Comparison]:
    """Return the other finished comparisons on the same data, newest first."""
    return {
        job.id: job
        for job in current.store().list(limit=_LOOK_BACK, kind="compare")
        if job.id != of.job.id
        and job.status == "done"
        and job.config is not None
        and job.config.data.fingerprint == of.facts.fingerprint
    }


def _label(job: Comparison) -> str:
    moment = datetime.fromtimestamp(job.ended or job.created)
    return f"{plain_label(job.name, 60)}, {moment:%d %b, %H:%M}"


def _settings(of: Looked, other: Record) -> None:
    assert of.found.started is not None and other.started is not None
    found = settings.differing(of.found.started.config, other.started.config)
    if not found:
        st.caption("Both were asked for the same: their numbers are the same runs.")
        return
    trust_parts.table(
        {
            "Setting": [one.title for one in found],
            "This comparison": [plain_label(one.first, 300) for one in found],
            "The other": [plain_label(one.second, 300) for one in found],
        },
        {},
        "Settings in which the two comparisons differ",
        of.key("settings"),
    )


def _effects(of: Looked, job: str, other: Record) -> None:
    both = measured(f"{of.subject.key} {job}", other, of.found)
    found = [one for one in both if one.strategy in of.shown]
    if not found:
        st.caption("The two have no shown strategy in common on the same test images.")
        return
    trust_parts.table(
        effect_columns(found, ("better here", "worse here")),
        {},
        "This comparison minus the other, by strategy",
        of.key("effects"),
    )
    st.caption(
        "This comparison minus the other, in points, on the test images and seeds that both "
        "tested, with paired 95% intervals. An interval that contains 0: no difference found."
    )


def effect_columns(found: list[Effect], words: tuple[str, str]) -> dict[str, list[str]]:
    """Return the columns that tell effects; `words` for measurably better and worse."""
    return {
        "Strategy": [one.title for one in found],
        "Accuracy": [trust_parts.signed(one.accuracy) for one in found],
        "In words": [_words(one, words) for one in found],
        "Balanced accuracy": [trust_parts.signed(one.balanced_accuracy) for one in found],
    }


def _words(one: Effect, words: tuple[str, str]) -> str:
    if one.accuracy.contains_zero:
        return "no difference found"
    return words[0] if one.accuracy.value > 0 else words[1]


@st.cache_data(max_entries=32, show_spinner="Comparing image by image")
def measured(key: str, _before: Record, _after: Record) -> list[Effect]:
    """Return what the second did to the strategies of the first; `key` names the two."""
    return effects(_before, _after)
