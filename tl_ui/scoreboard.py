"""Strategies as cards: name, what is trained, accuracy, forgetting, time; filled in as runs end."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from tl_core import curves
from tl_core.catalog import Model
from tl_core.columns import standing
from tl_core.record import Record
from tl_core.remaining import current
from tl_core.strategies import Strategy
from tl_core.tables import StrategyRow
from tl_core.verdict import Verdict
from tl_core.wording import duration, percent, points, spread
from tl_ui.layers import trained_blocks

_QUIET = "opacity:0.72;font-size:0.82rem"
_CARD = (
    "border:1px solid rgba(128,128,128,0.35);border-left:5px solid {colour};border-radius:8px;"
    "padding:6px 10px;display:flex;flex-direction:column;gap:3px"
)


def show(
    found: Record, rows: Sequence[StrategyRow], row: Model | None, said: Verdict | None, live: bool
) -> None:
    """Show one card per strategy: in running order while `live`, else in the order of `rows`."""
    by_name = {r.strategy: r for r in rows}
    strategies = {s.name: s for s in found.strategies}
    order = list(strategies) if live else [r.strategy for r in rows]
    cards = [
        _card(found, strategies[name], by_name[name], row, _state(found, by_name[name], said, live))
        for name in order
        if name in by_name
    ]
    # One element for all cards: a look every second stays cheap.
    st.html(f'<div role="list" style="display:grid;gap:6px">{"".join(cards)}</div>')


def waiting(strategies: Sequence[Strategy], row: Model | None) -> None:
    """Show the cards of a comparison that has not started."""
    cards = [_card(None, strategy, None, row, "waiting") for strategy in strategies]
    st.html(f'<div role="list" style="display:grid;gap:6px">{"".join(cards)}</div>')


def _state(found: Record, row: StrategyRow, said: Verdict | None, live: bool) -> str:
    if not live:
        return standing(row, said)
    if not row.applicable:
        return "not applicable"
    seeds = found.started.config.seeds if found.started else 1
    run_id = current(found)
    if run_id is not None and found.runs[run_id].run.strategy.name == row.strategy:
        run = found.runs[run_id].run
        curve = found.curves.get(run_id, {})
        step = max(curve, default=0)
        what = {"trial": "trying a rate", "equal_steps": "equal steps"}.get(run.kind, "training")
        return f"{what}, step {step} of {run.steps}" if run.steps else what
    if row.seeds >= seeds:
        return "done"
    if row.failed:
        return "failed"
    return f"{row.seeds} of {seeds} seeds" if row.seeds else "waiting"


def _card(
    found: Record | None,
    strategy: Strategy,
    row: StrategyRow | None,
    model: Model | None,
    state: str,
) -> str:
    colour = curves.colour(strategy.name)
    strong = "font-weight:600" if state.startswith("recommended") else ""
    head = (
        '<div style="display:flex;justify-content:space-between;gap:8px;flex-wrap:wrap">'
        f'<span style="font-weight:600">{escape(strategy.title)}</span>'
        f'<span style="{_QUIET};{strong}">{escape(state)}</span></div>'
    )
    parts = [head, _trained(strategy, model, colour)]
    if found is not None and row is not None and row.test_accuracy is not None:
        parts.append(_numbers(found, row, strategy))
    return f'<div role="listitem" style="{_CARD.format(colour=colour)}">{"".join(parts)}</div>'


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


def _numbers(found: Record, row: StrategyRow, strategy: Strategy) -> str:
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
    items = "".join(f"<span>{cell}</span>" for cell in cells)
    return f'<div style="display:flex;flex-wrap:wrap;gap:2px 12px;font-size:0.85rem">{items}</div>'


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
