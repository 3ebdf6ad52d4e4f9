"""Strategies as cards: name, what is trained, accuracy, forgetting, time; filled in as runs end."""

from collections.abc import Collection, Sequence
from html import escape

import streamlit as st

from tl_core import curves
from tl_core.catalog import Model
from tl_core.columns import standing
from tl_core.marks import mark
from tl_core.record import Record
from tl_core.remaining import current
from tl_core.strategies import Strategy
from tl_core.tables import StrategyRow
from tl_core.wording import duration, percent, points, spread
from tl_ui import shown
from tl_ui.follow import Followed
from tl_ui.layers import trained_blocks
from tl_ui.widgets import safe_label

_MOST_BESIDE, _WIDTH = 7, 270
_QUIET = "opacity:0.72;font-size:0.82rem"
_CARD = (
    "border:1px {frame} rgba(128,128,128,0.35);border-left:5px solid {colour};border-radius:8px;"
    "padding:6px 10px;display:flex;flex-direction:column;gap:3px"
)
_ROW = "display:flex;flex-wrap:wrap;gap:2px 12px"
_STACK = "display:flex;flex-direction:column;gap:4px"
# Holds a line's height until there is something to say.
_PLACE = f'<div style="{_ROW};{_QUIET}">&nbsp;</div>'
_LIST = "display:grid;gap:6px;grid-template-columns:repeat(auto-fit,minmax(min(230px,100%),1fr))"


def show(
    found: Record,
    rows: Sequence[StrategyRow],
    row: Model | None,
    recorded: Followed | None = None,
) -> None:
    """Show one card per strategy of a comparison that runs, in running order.

    While a strategy's own number is still to come its card is pale and shows what was `recorded`.
    """
    by_name = {r.strategy: r for r in rows}
    settled = curves.settled(found)
    cards = []
    for strategy in found.strategies:
        name = strategy.name
        if name not in by_name:
            continue
        own = _numbers(found, by_name[name], strategy)
        below = "" if name in settled else _recorded(recorded, name)
        cards.append(_card(strategy, row, _state(found, by_name[name]), own, below))
    _list(cards)


def stands_below(strategies: int) -> bool:
    """Return whether so many cards stand below the charts: beside them they would be a tower."""
    return strategies > _MOST_BESIDE


def finished(job: str, followed: Followed, row: Model | None) -> None:
    """Show the cards of a comparison that has ended; a click on a name shows that strategy alone.

    They are the way to choose, so they stay where others are chosen.
    """
    known = [measured.strategy for measured in followed.rows]
    chosen = shown.names(job, known)
    strategies = {s.name: s for s in followed.found.strategies}
    below = stands_below(len(known))
    with st.grid(min_column_width=_WIDTH) if below else st.container(gap="xsmall"):
        for measured in followed.rows:
            strategy = strategies[measured.strategy]
            state = standing(measured, followed.said)
            tall = "stretch" if below else "content"
            with st.container(border=True, gap=None, height=tall, key=f"card_{strategy.name}"):
                _title(job, strategy, state, known, chosen)
                bar = _trained(strategy, row, curves.colour(strategy.name))
                numbers = _numbers(followed.found, measured, strategy)
                st.html(f'<div style="{_STACK}">{bar}{numbers}</div>')
    if len(known) > 1:
        st.caption("Click a name to show that strategy alone; click others to add them.")


def _title(
    job: str, strategy: Strategy, state: str, known: Sequence[str], chosen: Sequence[str]
) -> None:
    """Show a card's name, which is a button, and in words how the strategy stands."""
    every, mine = len(chosen) == len(known), strategy.name in chosen
    if every:
        told = "Show this strategy alone, on the whole page."
    else:
        told = "Leave it out again." if mine else "Show it as well."
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small"
    ):
        st.button(
            f"**{shown.marked(strategy.name, strategy.title)}**",
            key=f"show_{strategy.name}",
            type="tertiary",
            on_click=shown.toggle,
            args=(job, strategy.name, known),
            help=told,
        )
        hidden = "" if mine else ":material/visibility_off: not shown · "
        words = safe_label(state, 300)
        strong = f"**{words}**" if state.startswith("recommended") else words
        st.caption(f"{hidden}{strong}", width="content")


def waiting(
    strategies: Sequence[Strategy], row: Model | None, recorded: Followed | None = None
) -> None:
    """Show the cards of a comparison that has not started."""
    _list([_card(s, row, "waiting", "", _recorded(recorded, s.name)) for s in strategies])


def replay(recorded: Followed, row: Model | None, ended: Collection[str]) -> None:
    """Show the pale cards of a recording, with numbers where a strategy has `ended` by now."""
    strategies = {s.name: s for s in recorded.found.strategies}
    cards = []
    for measured in recorded.rows:
        name = measured.strategy
        done = name in ended or measured.test_accuracy is None
        state = standing(measured, recorded.said) if done else "replaying"
        numbers = _recorded(recorded, name) if done else _PLACE
        cards.append(_card(strategies[name], row, state, "", numbers or _PLACE))
    _list(cards)


def _list(cards: Sequence[str]) -> None:
    # One element for all cards: a look every second stays cheap.
    st.html(f'<div role="list" style="{_LIST}">{"".join(cards)}</div>')


def _recorded(recorded: Followed | None, name: str) -> str:
    """Return what was recorded of a strategy, if anything was."""
    if recorded is None:
        return ""
    row = next((r for r in recorded.rows if r.strategy == name), None)
    strategy = next((s for s in recorded.found.strategies if s.name == name), None)
    return _numbers(recorded.found, row, strategy, "recorded:") if row and strategy else ""


def _state(found: Record, row: StrategyRow) -> str:
    if not row.applicable:
        return "not applicable"
    seeds = found.started.config.seeds if found.started else 1
    run_id = current(found)
    if run_id is not None and found.runs[run_id].run.strategy.name == row.strategy:
        run = found.runs[run_id].run
        curve = found.curves.get(run_id, {})
        step = max(curve, default=0)
        kinds = {"trial": "trying a rate", "equal_steps": "equal steps", "range_test": "range test"}
        what = kinds.get(run.kind, "training")
        return f"{what}, step {step} of {run.steps}" if run.steps else what
    if row.seeds >= seeds:
        return "done"
    if row.failed:
        return "failed"
    return f"{row.seeds} of {seeds} seeds" if row.seeds else "waiting"


def _card(strategy: Strategy, model: Model | None, state: str, own: str, recorded: str = "") -> str:
    """Return a card with its `own` numbers; without any a pale one with `recorded` numbers."""
    pale = bool(recorded and not own)
    colour = curves.colour(strategy.name) + (f"{round(255 * curves.PALE):02x}" if pale else "")
    strong = "font-weight:600" if state.startswith("recommended") else ""
    sign = f'<span aria-hidden="true" style="color:{colour}">{mark(strategy.name).sign}</span>'
    head = (
        '<div style="display:flex;justify-content:space-between;gap:8px;flex-wrap:wrap">'
        f'<span>{sign} <span style="font-weight:600">{escape(strategy.title)}</span></span>'
        f'<span style="{_QUIET};{strong}">{escape(state)}</span></div>'
    )
    body = f"{head}{_trained(strategy, model, colour)}{own or recorded}"
    style = _CARD.format(colour=colour, frame="dashed" if pale else "solid")
    return f'<div role="listitem" style="{style}">{body}</div>'


def _trained(strategy: Strategy, model: Model | None, colour: str) -> str:
    """Return the blocks from image to answer, filled where they train; the last is the head."""
    blocks = trained_blocks(strategy, len(model.blocks)) if model and strategy.stages else ()
    blocks = blocks or (False,) * (len(model.blocks) if model else 8)
    flags = (*blocks, strategy.solver != "none")
    boxes = "".join(
        f'<span style="flex:{2 if place == len(blocks) else 1};height:8px;border-radius:2px;'
        f'border:1px solid {colour};background:{colour if trains else "transparent"}"></span>'
        for place, trains in enumerate(flags)
    )
    said = f"{sum(flags)} of {len(flags)} parts are trained, from the image to the answer"
    return (
        f'<div role="img" aria-label="{said}" title="{said}" style="display:flex;gap:2px">'
        f"{boxes}</div>"
    )


def _numbers(found: Record, row: StrategyRow, strategy: Strategy, lead: str = "") -> str:
    """Return what a strategy measured, nothing if it did not; pale behind a `lead`."""
    if row.test_accuracy is None:
        return ""
    accuracy = (
        f"<b>{percent(row.test_accuracy)}</b> "
        f"({spread(100 * (row.ci_low or 0.0), 100 * (row.ci_high or 0.0))})"
    )
    cells = [accuracy, escape(changed(found, row, strategy)), duration(row.train_seconds)]
    if row.difference_to_best:
        low, high = row.difference_low or 0.0, row.difference_high or 0.0
        cells.insert(
            1,
            f"{points(100 * row.difference_to_best, True)} against the best "
            f"({spread(100 * low, 100 * high, True)})",
        )
    if lead:
        cells.insert(0, lead)
    style = f"{_ROW};{_QUIET}" if lead else f"{_ROW};font-size:0.85rem"
    return f'<div style="{style}">{"".join(f"<span>{cell}</span>" for cell in cells)}</div>'


def changed(found: Record, row: StrategyRow, strategy: Strategy) -> str:
    """Return what training did to the source skill: forgetting, or drift where no labels tell."""
    if not strategy.pretrained:
        return "never had the source skill"
    if row.forgetting_points == 0 == row.forgetting_high:
        return "forgot nothing"
    if row.forgetting_points is not None:
        return f"forgot {points(row.forgetting_points)} points"
    if row.agreement is None:
        return "drift not measured"
    return f"drift: {percent(1 - row.agreement)} of predictions changed"
