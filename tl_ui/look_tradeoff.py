"""Trade-off: accuracy on the new task against what was forgotten of the old one."""

import streamlit as st

from tl_core import figures
from tl_core.tradeoff import Tradeoff
from tl_core.wording import listed, lowered, points
from tl_ui import looked, plots, shown
from tl_ui.looked import Looked
from tl_ui.widgets import safe_label


def section(of: Looked) -> None:
    """Show where all strategies stand; those that are not shown elsewhere are pale."""
    found = looked.traded(of)
    if len([place for place in found.places if place.change is not None]) < 2:
        st.info(
            "A trade-off needs two finished strategies that begin with the source model.",
            icon=":material/balance:",
        )
        return
    _words(of, found)
    chosen = of.shown if len(of.shown) < len(of.followed.rows) else ()
    figure = figures.tradeoff_points(found, chosen)
    key = of.key(f"chart_tradeoff_{'_'.join(chosen)}")
    plots.show(
        figure,
        key=key,
        file=f"accuracy-against-{found.measure}",
        alt=figures.describe_tradeoff(found),
        on_select=lambda: _take(of, st.session_state[key]["selection"]["points"]),
        selection_mode="points",
    )
    pale = " Pale: not shown elsewhere on this page." if chosen else ""
    st.caption(
        f"Further up and left is better; marks grow with the seconds of training.{pale} Dominated: "
        "measurably worse in one and measurably better in nothing, by paired differences of all "
        "pairs at once (Holm), which is stricter than the table's difference to the best. Click a "
        "mark to show that strategy alone."
    )
    if found.measure == "drift":
        st.caption(
            "Without labelled source images this is drift: predictions that changed, for better "
            "or worse. Differences of drift are taken as independent."
        )


def _take(of: Looked, chosen: list[dict]) -> None:
    """Show the strategy whose mark was clicked."""
    names = [str(point["customdata"][0]) for point in chosen if point.get("customdata")]
    known = [name for name in names if name in of.titles]
    if known:
        shown.choose(of.job.id, known)


def _words(of: Looked, found: Tradeoff) -> None:
    titles = {name: safe_label(lowered(title)) for name, title in of.titles.items()}
    lines = []
    for name, others in found.dominated.items():
        title = safe_label(of.titles[name])
        by = listed([titles[other] for other in others])
        lines.append(f"**{title} is dominated** by {by}.")
    by_name = {place.strategy: place for place in found.places}
    for one, other in found.trades:
        first, second = by_name[one], by_name[other]
        assert first.change is not None and second.change is not None
        gained = points(first.accuracy.value - second.accuracy.value)
        paid = points(first.change.value - second.change.value)
        lines.append(
            f"**A trade:** {titles[one]} gains {gained} points of accuracy over {titles[other]} "
            f"and pays with {paid} points of {found.measure}."
        )
    if not found.trades:
        lines.append(
            "**No trade is measurable:** no strategy buys accuracy with what it forgets."
            if found.measure == "forgetting"
            else "**No trade is measurable:** no strategy buys accuracy with drift."
        )
    apart = [titles[place.strategy] for place in found.places if place.change is None]
    if apart:
        lines.append(f"Never had the source skill, so it stands apart: {listed(apart)}.")
    st.markdown("\n".join(f"- {line}" for line in lines))
