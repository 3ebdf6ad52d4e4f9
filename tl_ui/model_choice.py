"""Choosing a pretrained model: its facts, its terms, and all models side by side."""

from dataclasses import fields

import pandas as pd
import streamlit as st

from tl_core import weights
from tl_core.catalog import Model, catalog
from tl_core.config import DRAWN
from tl_core.ingest import source_probe
from tl_core.wording import count
from tl_ui import probe_section, theme
from tl_ui.state import Choice, choice, choose
from tl_ui.widgets import flash, thumbnails

_PICTURES, _WIDTH = 16, 48


def section() -> Model:
    """Show the chooser, the facts and the table of all models; return the chosen one."""
    rows = catalog()
    here = {name: bool(weights.available(name)) for name in rows}
    st.session_state["model_name"] = choice().backbone
    st.selectbox(
        "Pretrained model",
        list(rows),
        key="model_name",
        format_func=lambda name: _option(rows[name], here[name]),
        on_change=lambda: select(st.session_state["model_name"]),
    )
    row = rows[choice().backbone]
    facts(row)
    with st.expander("All models side by side", icon=":material/table_chart:"):
        table(list(rows.values()), here)
    return row


def select(name: str) -> None:
    """Make a model the chosen one; weights and own layers belong to the earlier one.

    So do an edited class map and brought source images where the source task is another.
    """
    before, rows = choice(), catalog()
    if name == before.backbone:
        return
    choose(backbone=name, weights=None, frozen=None)
    tasks = {rows[model].weights.source_classes for model in (name, before.backbone)}
    own = [
        what
        for what, chosen in (
            ("class map", bool(before.class_map)),
            ("source images", before.probe not in (None, DRAWN)),
        )
        if chosen
    ]
    if len(tasks) == 1 or not own:
        flash(f"Now used: {rows[name].title}.", undo=lambda: _back(before))
        return
    choose(class_map={}, probe=None if before.probe is None else DRAWN)
    flash(
        f"Your {' and '.join(own)} belonged to {rows[before.backbone].title}, whose source task is "
        f"another one than {rows[name].title}'s: not used now.",
        ":material/info:",
        undo=lambda: _back(before),
    )


def _back(before: Choice) -> None:
    choose(**{field.name: getattr(before, field.name) for field in fields(before)})


def _option(row: Model, is_here: bool) -> str:
    state = "comes with the app" if row.weights.file else "" if is_here else "to download"
    return ", ".join(filter(None, [row.title, f"{count(row.parameters)} parameters", state]))


def facts(row: Model) -> None:
    """Show what a model is, how good it is at its source task, and under which terms."""
    about = row.weights
    with st.grid(min_column_width=140):
        st.metric("Parameters", count(row.parameters))
        st.metric(
            "GFLOPs an image",
            f"{row.flops / 1e9:.2g}",
            help="Forwards; a multiplication and an addition count as two.",
        )
        st.metric(
            "Source accuracy",
            f"{about.top1:.1f}%",
            help=f"Top-1 on its own source task ({about.source_task}), {_measured(row)}; "
            f"top-5 {about.top5:.1f}%.",
        )
        st.metric("Weights file", f"{about.megabytes:.0f} MB")
        st.metric("Input", f"{row.preprocessing.crop} px")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        word, icon, colour = theme.COMMERCIAL[about.may_be_sold]
        st.badge(word, icon=icon, color=colour)
        st.markdown(f"{about.commercial}", width="content")
    drawn = source_probe.known(row)
    if drawn is not None:
        st.markdown(f":material/draw: **Source task.** {about.source_task.capitalize()}.")
        thumbnails(drawn, probe_section.spread(len(drawn.images), _PICTURES), _WIDTH)
    with st.expander("Terms in full"):
        st.markdown(
            f"- Code: {about.code_licence}\n- Weights: {about.weights_licence}\n"
            f"- Trained on: {about.source_task}"
        )


def _measured(row: Model) -> str:
    if row.weights.drawn:
        return "measured on images drawn for that, which training never saw"
    return "as torchvision publishes it"


def table(rows: list[Model], here: dict[str, bool]) -> None:
    """Show all models; a click on a row chooses it."""
    frame = pd.DataFrame(
        {
            "Model": [row.title for row in rows],
            "Weights": ["here" if here[row.name] else "to download" for row in rows],
            "Source task": [row.weights.source_task for row in rows],
            "Parameters": [row.parameters / 1e6 for row in rows],
            "GFLOPs": [row.flops / 1e9 for row in rows],
            "Top-1": [row.weights.top1 for row in rows],
            "MB": [row.weights.megabytes for row in rows],
            "Code licence": [row.weights.code_licence for row in rows],
            "Commercial use": [row.weights.commercial for row in rows],
        }
    )
    number = st.column_config.NumberColumn
    st.dataframe(
        frame,
        key=f"models_{choice().backbone}",
        hide_index=True,
        height=38 + 35 * len(frame),
        on_select=lambda: _picked(rows),
        selection_mode="single-row",
        column_config={
            "Parameters": number(format="%.1f M"),
            "GFLOPs": number(format="%.2f"),
            "Top-1": number(format="%.1f%%", help="On the model's own source task"),
            "Source task": st.column_config.TextColumn(width="medium"),
            "MB": number(format="%.0f"),
        },
        alt="Pretrained models with size, compute, source accuracy and licence",
    )
    st.caption("Click the box left of a row to choose that model.")


def _picked(rows: list[Model]) -> None:
    selected = st.session_state[f"models_{choice().backbone}"].selection.rows
    if selected:
        select(rows[selected[0]].name)
