"""The layer table: which blocks train, what that costs, and the choice as a strategy."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from tl_core.catalog import Model
from tl_core.stages import block_factors
from tl_core.strategies import STRATEGIES, Strategy
from tl_core.wording import count, number_of, percent
from tl_ui.state import choice, choose

Flags = tuple[bool, ...]

_BASE, _REVISION, _MODEL, _DRAFT = "layers_base", "layers_revision", "layers_model", "layers_draft"
_EARLIER, _KEPT = "layers_earlier", 20
_PRESETS = ("feature_extraction", "partial_fine_tuning", "full_fine_tuning")


def trained_blocks(strategy: Strategy, blocks: int) -> Flags:
    """Return which blocks, input to output, any stage of a strategy trains."""
    factors = [block_factors(stage, blocks) for stage in strategy.stages]
    return tuple(any(stage[i] is not None for stage in factors) for i in range(blocks))


def head_parameters(row: Model, classes: int) -> int:
    """Return the weights and biases of a new head for so many classes."""
    return (row.feature_size + 1) * classes


def frozen_prefix(trained: Sequence[bool]) -> int:
    """Return how many blocks, from the input on, are frozen before the first trained one."""
    return next((i for i, trains in enumerate(trained) if trains), len(trained))


def edited(base: Sequence[bool], edits: dict[int, dict[str, bool]]) -> Flags:
    """Return the flags after what was ticked in the table since it was built."""
    return tuple(bool(edits.get(i, {}).get("Trained", flag)) for i, flag in enumerate(base))


def section(row: Model, classes: int) -> None:
    """Show slider, presets, table and count, and offer the choice as a strategy."""
    trained = _current(row)
    st.caption(
        "Blocks run from the image (first) to the answer (last). A frozen block keeps its "
        "pretrained weights and statistics; a new head for your classes always trains."
    )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _slider(row, trained)
        trained = st.session_state[_DRAFT] = _table(row)
    with right:
        _counts(row, trained, classes)
        _undo_button()
        _presets(row)
        _offer(row, trained)


def _current(row: Model) -> Flags:
    """Return the flags as they stand. Edits of the table end when the page is left."""
    state, blocks = st.session_state, len(row.blocks)
    if state.get(_MODEL) != row.name:
        state.pop(_DRAFT, None)
    if state.get(_MODEL) != row.name or _editor_key() not in state:
        own = choice().frozen
        fits = own is not None and len(own) == blocks
        kept = tuple(not flag for flag in own or ()) if fits else state.get(_DRAFT)
        if state.get(_MODEL) != row.name:
            state[_EARLIER] = []
        state[_MODEL] = row.name
        _rebuild(kept or trained_blocks(STRATEGIES["partial_fine_tuning"], blocks))
    edits = state.get(_editor_key(), {}).get("edited_rows", {})
    return edited(state[_BASE], {int(i): change for i, change in edits.items()})


def _rebuild(trained: Flags) -> None:
    """Put new flags into the table: it gets a new key, since edits belong to the old flags."""
    st.session_state[_BASE] = st.session_state[_DRAFT] = trained
    if choice().frozen is not None:
        choose(frozen=tuple(not flag for flag in trained))
    st.session_state[_REVISION] = st.session_state.get(_REVISION, 0) + 1


def _editor_key() -> str:
    return f"layers_table_{st.session_state.get(_REVISION, 0)}"


def _slider(row: Model, trained: Flags) -> None:
    st.session_state["layers_upto"] = frozen_prefix(trained)
    st.slider(
        "Freeze the first … blocks",
        0,
        len(row.blocks),
        key="layers_upto",
        on_change=_freeze_up_to,
        args=(len(row.blocks),),
        help="Everything before this block is frozen, everything from it on is trained.",
    )


def _keep() -> None:
    """Remember the flags as they stand, before they change."""
    kept = st.session_state.get(_EARLIER, [])
    st.session_state[_EARLIER] = [*kept, st.session_state[_DRAFT]][-_KEPT:]


def _change(trained: Flags) -> None:
    _keep()
    _rebuild(trained)


def _undo() -> None:
    *kept, last = st.session_state[_EARLIER]
    st.session_state[_EARLIER] = kept
    _rebuild(last)


def _undo_button() -> None:
    known = bool(st.session_state.get(_EARLIER))
    st.button(
        "Undo",
        key="undo_layers",
        icon=":material/undo:",
        disabled=not known,
        help="Takes back the last change of the layers."
        if known
        else "Nothing to take back: the layers did not change in this session.",
        on_click=_undo,
    )


def _freeze_up_to(blocks: int) -> None:
    frozen = st.session_state["layers_upto"]
    _change(tuple(i >= frozen for i in range(blocks)))


def _table(row: Model) -> Flags:
    total = sum(block.flops for block in row.blocks) or 1
    frame = pd.DataFrame(
        {
            "Trained": st.session_state[_BASE],
            "Block": [block.name for block in row.blocks],
            "Parameters": [count(block.parameters) for block in row.blocks],
            "Share of compute": [block.flops / total for block in row.blocks],
        }
    )
    shown = st.data_editor(
        frame,
        key=_editor_key(),
        hide_index=True,
        on_change=_keep,
        disabled=["Block", "Parameters", "Share of compute"],
        height=38 + 35 * len(frame),
        column_config={
            "Trained": st.column_config.CheckboxColumn(width="small"),
            "Block": st.column_config.TextColumn(width="small"),
            "Parameters": st.column_config.TextColumn(width="small"),
            "Share of compute": st.column_config.ProgressColumn(
                format="percent", min_value=0, max_value=1, width="small"
            ),
        },
        alt=f"Blocks of {row.title}, input to output: trained or frozen, parameters, compute",
    )
    return tuple(bool(flag) for flag in shown["Trained"])


def _counts(row: Model, trained: Flags, classes: int) -> None:
    body = sum(block.parameters for block in row.blocks)
    head = head_parameters(row, classes)
    moving = sum(b.parameters for b, on in zip(row.blocks, trained, strict=True) if on) + head
    st.metric(
        "Trainable parameters",
        f"{count(moving)} of {count(body + head)}",
        percent(moving / (body + head)),
        delta_color="off",
        delta_arrow="off",
        border=True,
        help=f"{number_of(sum(trained), 'block')} and the new head ({head:,} parameters for "
        f"{number_of(classes, 'class', 'classes')}).",
    )
    first = frozen_prefix(trained)
    if not all(trained[first:]):
        st.caption(
            ":material/info: A frozen block lies behind a trained one. That works: gradients pass "
            "through it, and it stays as it is."
        )


def _presets(row: Model) -> None:
    st.markdown("**Start from a strategy**")
    for name in _PRESETS:
        strategy = STRATEGIES[name]
        trained = trained_blocks(strategy, len(row.blocks))
        st.button(
            strategy.title,
            key=f"preset_{name}",
            help=strategy.summary,
            on_click=_change,
            args=(trained,),
            width="stretch",
        )
        frozen = trained.count(False)
        st.caption(f"Freezes {frozen} of {number_of(len(trained), 'block')}.")


def _offer(row: Model, trained: Flags) -> None:
    frozen = tuple(not flag for flag in trained)
    used = choice().frozen is not None
    st.session_state["layers_use"] = used
    if used and choice().frozen != frozen:
        choose(frozen=frozen)
    st.toggle(
        "Compare this as **My layers**",
        key="layers_use",
        on_change=lambda: choose(frozen=frozen if st.session_state["layers_use"] else None),
    )
    st.caption(
        "On: the next comparison has it as one more strategy, and follows every change here."
        if used
        else "Off: this table is only for looking. Turn it on to compare it with the others."
    )
