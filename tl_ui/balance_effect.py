"""Did making up for rare classes help? The same comparison with and without, side by side."""

import msgspec
import streamlit as st

from tl_core import stats
from tl_core.config import ComparisonConfig, content_hash
from tl_core.effects import effects
from tl_core.record import Record
from tl_core.store import Comparison
from tl_core.wording import points, spread
from tl_ui import current, launch
from tl_ui.follow import follow
from tl_ui.plan_popover import BALANCE
from tl_ui.widgets import plain_label

# From this ratio of the largest to the smallest class on it is worth trying.
WORTH_TRYING = 1.5


def section(job: Comparison, found: Record) -> None:
    """Show what class balancing changed, or offer to measure it where classes differ in size."""
    if job.config is None or job.status != "done" or found.started is None:
        return
    balanced = job.config.class_balance != "none"
    counts = [count for count in found.started.dataset.class_counts if count]
    if not balanced and max(counts) < WORTH_TRYING * min(counts):
        return
    twin = _twin(job, job.config)
    with st.expander("Rare classes: does it help to make up for them?", icon=":material/balance:"):
        if twin is None:
            _offer(job, job.config, balanced)
        elif twin.status == "done":
            pair = (follow(twin.id).found, found)
            _table(*(pair if balanced else pair[::-1]))
        else:
            st.caption("The comparison to hold it against has not finished.")


def _twin(job: Comparison, config: ComparisonConfig) -> Comparison | None:
    """Return the newest comparison that differs in nothing but class balancing."""
    balanced, wanted = config.class_balance != "none", _rest(config)
    for other in current.store().list(limit=200, kind="compare"):
        if other.config is None or other.id == job.id or other.status in ("failed", "cancelled"):
            continue
        differs = (other.config.class_balance != "none") != balanced
        if differs and _rest(other.config) == wanted:
            return other
    return None


def _rest(config: ComparisonConfig) -> str:
    # A configuration is resolved once it has run: only what was asked for can be compared.
    plain = msgspec.structs.replace(
        config, class_balance="none", device="", precision="", threads=0
    )
    return content_hash(msgspec.to_builtins(plain))


def _offer(job: Comparison, config: ComparisonConfig, balanced: bool) -> None:
    if balanced:
        st.caption("Measured so far: with. To know what it changed, measure without it as well.")
        other, label = "none", "Measure without"
    else:
        st.caption("Your classes differ in size. Rare ones can be drawn as often as the others.")
        other, label = "sampling", "Measure with every class drawn equally often"
    st.button(
        label,
        icon=":material/play_arrow:",
        on_click=launch.start,
        args=(msgspec.structs.replace(config, class_balance=other), job.name),
    )


def _table(without: Record, balanced: Record) -> None:
    assert balanced.started is not None
    measured = effects(without, balanced)
    if not measured:
        st.caption("The two have no strategy in common on the same test images.")
        return
    way = BALANCE[balanced.started.config.class_balance].lower()
    st.caption(
        f"With rare classes made up for ({way}) minus without, in percentage points with paired "
        "95% intervals. An interval that contains 0: no difference found."
    )
    st.dataframe(
        {
            "Strategy": [effect.title for effect in measured],
            "Accuracy": [_cell(effect.accuracy) for effect in measured],
            "Balanced accuracy": [_cell(effect.balanced_accuracy) for effect in measured],
            "Weakest class before": [plain_label(effect.weakest_class, 40) for effect in measured],
            "Its recall": [_cell(effect.lowest_recall) for effect in measured],
        },
        hide_index=True,
        height=38 + 35 * len(measured),
        alt="What making up for rare classes changed, by strategy",
    )


def _cell(change: stats.Interval) -> str:
    ends = spread(100 * change.low, 100 * change.high, True)
    return f"{points(100 * change.value, True)} ({ends})"
