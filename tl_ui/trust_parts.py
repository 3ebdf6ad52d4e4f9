"""Pieces that the Trust page's sections share."""

from collections.abc import Sequence

import streamlit as st

from tl_core.stats import Interval
from tl_core.wording import points, spread
from tl_ui import launch
from tl_ui.trust_evidence import Subject


def strategy(of: Subject, names: Sequence[str], key: str) -> str:
    """Show which strategy is looked at and return it; the recommended one to begin with."""
    chosen: str = st.pills(
        "Strategy",
        names,
        default=names[0],
        required=True,
        format_func=lambda name: of.titles[name],
        key=f"trust_strategy_{key}_{of.job.id[:8]}",
        label_visibility="collapsed",
    )
    return chosen


def not_kept(of: Subject, what: str) -> None:
    """Say that a comparison is too old for a section, or too young; offer to run an old one again.

    `what` was not kept in older ones.
    """
    if of.kept:
        st.info(
            "No strategy that this can be said of has finished yet.",
            icon=":material/hourglass_empty:",
        )
        return
    st.info(
        f"This comparison was recorded before {what} was kept. Run it again to see this.",
        icon=":material/history:",
    )
    if of.job.config is not None:
        st.button(
            "Run again",
            icon=":material/replay:",
            on_click=launch.again,
            args=(of.job.config, of.job.name),
            key=f"trust_again_{what}",
            help="A new comparison with the same settings.",
        )


def percents(interval: Interval | None) -> str:
    """Return an interval of fractions as `91.2 (88.0 to 94.1)`."""
    return "–" if interval is None else _written(interval, 100.0)


def signed(interval: Interval | None) -> str:
    """Return an interval of fractions in points, with signs."""
    return "–" if interval is None else _written(interval, 100.0, True)


def plain(interval: Interval | None, digits: int = 0) -> str:
    """Return an interval in its own unit with so many digits."""
    if interval is None:
        return "–"
    value, low, high = (
        f"{number:,.{digits}f}".replace("-", "\u2212")
        for number in (interval.value, interval.low, interval.high)
    )
    return f"{value} ({low} to {high})"


def _written(interval: Interval, factor: float, sign: bool = False) -> str:
    ends = spread(factor * interval.low, factor * interval.high, sign)
    return f"{points(factor * interval.value, sign)} ({ends})"


def table(columns: dict[str, Sequence[object]], helps: dict[str, str], alt: str, key: str) -> None:
    """Show a table of texts with a definition at every header that has one."""
    rows = len(next(iter(columns.values())))
    st.dataframe(
        columns,
        hide_index=True,
        height=38 + 35 * min(rows, 14),
        column_config={
            name: st.column_config.TextColumn(help=helps.get(name), pinned=place == 0)
            for place, name in enumerate(columns)
        },
        placeholder="–",
        key=f"trust_table_{key}",
        alt=alt,
    )
