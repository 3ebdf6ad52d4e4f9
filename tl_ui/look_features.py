"""What training changed: images in feature space, and the network block by block."""

from html import escape

import streamlit as st

from tl_core import figures, predictions
from tl_core.answers import Cloud, Estimate, InspectedRun, Inspection
from tl_core.catalog import catalog
from tl_core.curves import colour
from tl_core.strategies import Strategy
from tl_core.wording import count, number_of, percent, spread
from tl_ui import asking, finished_models, plots
from tl_ui.layers import head_parameters, trained_blocks
from tl_ui.looked import Looked
from tl_ui.widgets import safe_label

_NAMED = 12


def section(of: Looked) -> None:
    """Ask what training changed in the shown strategies' models, and show it."""
    st.caption(
        "The finished models look at the test images once more: how their features lie, and how "
        "far each block's weights have moved."
    )
    runs = finished_models.first_runs(of, of.measured)
    runs = [run for run in runs if run.run.seed == runs[0].run.seed]
    if not runs:
        st.info("No strategy that is shown has a model to look into.", icon=":material/info:")
        return
    found = asking.answer(
        "inspect",
        finished_models.config(of),
        finished_models.request(runs),
        label="Look into the models",
        help="One look of every shown strategy's model at the test images.",
        at_once=True,
    )
    if isinstance(found, Inspection):
        _network(of, found)
        _map(of, found)


def _network(of: Looked, found: Inspection) -> None:
    row = catalog()[finished_models.config(of).backbone]
    st.markdown("**The network, from the image to the answer**")
    strategies = {strategy.name: strategy for strategy in of.found.strategies}
    classes = len(of.facts.classes)
    blocks = [(block.name, block.parameters) for block in row.blocks]
    drawn = [
        _drawn(strategies[run.strategy], run, blocks, head_parameters(row, classes))
        for run in found.runs
    ]
    st.html(f'<div style="overflow-x:auto">{"".join(drawn)}</div>')
    st.caption(
        "Filled blocks were trained, hollow ones frozen. Under each: its parameters, and how far "
        "its weights moved (length of the change over length of the weights before; training from "
        "scratch counts from its own random beginning). 0% is bit for bit the same."
    )


def _drawn(strategy: Strategy, run: InspectedRun, blocks: list[tuple[str, int]], head: int) -> str:
    """Return one strategy's network as a row of blocks; its last is the new head."""
    trained = trained_blocks(strategy, len(blocks)) if strategy.stages else (False,) * len(blocks)
    shade = colour(run.strategy)
    cells = [
        _block(name, parameters, trains, f"moved {_moved(moved)}", shade)
        for (name, parameters), trains, moved in zip(blocks, trained, run.moved, strict=True)
    ]
    learns = strategy.solver != "none"
    last = _block(
        "head" if learns else "original head",
        head if learns else 0,
        learns,
        "new" if learns else "unchanged",
        shade,
    )
    return (
        f'<div style="font-weight:600;font-size:0.9rem;margin-top:6px">{escape(run.title)}</div>'
        f'<div role="list" style="display:flex;flex-wrap:wrap;gap:4px">{"".join(cells)}{last}</div>'
    )


def _block(name: str, parameters: int, trains: bool, said: str, shade: str) -> str:
    what = "trained" if trains else "frozen"
    fill = shade if trains else "transparent"
    size = f"{count(parameters)} parameters" if parameters else "&nbsp;"
    return (
        '<div role="listitem" style="flex:1 1 84px;min-width:84px;max-width:150px;'
        'font-size:0.74rem;line-height:1.3">'
        f'<div style="height:12px;border-radius:3px;border:1px solid {shade};background:{fill}">'
        f'</div><div style="overflow-wrap:anywhere"><b>{escape(name)}</b>, {what}</div>'
        f"<div>{size}</div><div>{said}</div></div>"
    )


def _moved(value: float) -> str:
    return "0%" if value == 0 else f"{100 * value:.2g}%"


def _map(of: Looked, found: Inspection) -> None:
    st.markdown("**Test images in feature space, coloured by class**")
    by_name = {run.strategy: run for run in found.runs}
    chosen = st.segmented_control(
        "After",
        list(by_name),
        default=_most_changed(found).strategy,
        required=True,
        format_func=lambda name: of.titles[name],
        key=of.key(f"features_{len(by_name)}"),
        wrap=True,
    )
    run = by_name[chosen]
    left, right = st.columns(2)
    with left:
        st.markdown("Before training")
        _cloud(of, found.before, found, "before")
    with right:
        st.markdown(f"After: {safe_label(of.titles[chosen])}")
        _cloud(of, run.cloud, found, chosen)
    st.caption(
        f"{number_of(len(found.images), 'test image')}, first two principal components, the second "
        "picture turned to lie on the first. Two dimensions show part of the picture: the share of "
        "images whose nearest neighbour, by all features, is of their own class says more."
    )


def _most_changed(found: Inspection) -> InspectedRun:
    return max(found.runs, key=lambda run: max(run.moved))


def _cloud(of: Looked, cloud: Cloud, found: Inspection, name: str) -> None:
    points = predictions.unpacked(cloud.points).reshape(-1, 2)
    classes = of.facts.classes
    said = _neighbours(cloud.neighbours)
    plots.show(
        figures.feature_map(points, found.labels, classes),
        key=of.key(f"features_map_{name}_{'before' if cloud is found.before else 'after'}"),
        file=f"features-{name}",
        alt=f"Features of {len(points)} test images in the plane. {said}",
    )
    first, second = cloud.explained
    st.caption(f"{said} The plane holds {percent(first + second)} of the variance.")


def _neighbours(of: Estimate) -> str:
    return (
        f"Nearest neighbour of the same class: {percent(of.value)} "
        f"({spread(100 * of.low, 100 * of.high)})."
    )
