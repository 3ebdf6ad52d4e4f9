"""What a comparison is made of: strategies, seeds, budget, and how rare classes are treated."""

from collections.abc import Mapping

import streamlit as st

from tl_core import glossary, unusual
from tl_core.catalog import Model
from tl_core.config import BUDGETS, ClassBalance, budget_for
from tl_core.wording import number_of
from tl_ui import launch, strategy_choice, undo
from tl_ui.state import Choice, choice, choose

# The fields of the choice that this popover changes.
FIXED = (
    "steps",
    "learning_rate",
    "labels_per_class",
    "input_size",
    "augmentation",
    "regularisation",
    "rate_range",
)
PLAN = ("strategies", "seeds", "budget", "class_balance", *FIXED)

BALANCE: dict[ClassBalance, str] = {
    "none": "As they are",
    "weights": "Weigh more",
    "sampling": "Draw more often",
}


def section(row: Model, refused: Mapping[str, str]) -> None:
    """Show the controls, which change the session's choice; `refused`: strategies, and why not."""
    strategy_choice.section(row, refused)
    _seeds()
    _budget(row)
    _fixed()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _balance()
        undo.button("plan", "the plan", *PLAN)


def _seeds() -> None:
    st.session_state["setup_seeds"] = choice().seeds
    st.segmented_control(
        "Seeds",
        [1, 3, 5] if choice().seeds in (1, 3, 5) else sorted({1, 3, 5, choice().seeds}),
        key="setup_seeds",
        required=True,
        on_change=lambda: choose(seeds=st.session_state["setup_seeds"]),
        help=f"{glossary.explain('seed')} Unless your data came with a test part, each has other "
        "test images.",
    )


def _budget(row: Model) -> None:
    def text(name: str) -> str:
        limits = budget_for(name, row.preprocessing.crop)
        return f"{name.capitalize()}: {limits.steps} steps"

    st.session_state["setup_budget"] = choice().budget
    st.segmented_control(
        "Budget",
        list(BUDGETS),
        format_func=text,
        key="setup_budget",
        required=True,
        on_change=lambda: choose(budget=st.session_state["setup_budget"]),
        help=f"{glossary.explain('budget', 'step')} Larger budgets also try several learning "
        "rates.",
    )


def _fixed() -> None:
    """Say what an adopted comparison fixes in the place of what is usual, with a way out."""
    steps, rate = choice().steps, choice().learning_rate
    fixed = [number_of(steps, "step")] if steps is not None else []
    fixed += [f"learning rate {rate:.2g}"] if rate is not None else []
    budget_alone = len(fixed)
    fixed += launch.labels_text(choice().labels_per_class)
    fixed += unusual.phrases(choice())
    if fixed:
        usual = {name: getattr(Choice(), name) for name in FIXED}
        st.markdown(f":material/push_pin: Fixed for all that train: {', '.join(fixed)}.")
        st.button(
            "Use the usual settings" if len(fixed) > budget_alone else "Use the budget's own",
            icon=":material/undo:",
            on_click=lambda: choose(**usual) and None,
        )


def _balance() -> None:
    st.session_state["setup_balance"] = choice().class_balance
    st.segmented_control(
        "Rare classes",
        list(BALANCE),
        format_func=BALANCE.__getitem__,
        key="setup_balance",
        required=True,
        on_change=lambda: choose(class_balance=st.session_state["setup_balance"]),
        help="How training makes up for classes with few images: not at all, by the weight of "
        "their images in the loss, or by drawing every class equally often. The linear head "
        "weighs for both. Compare with and without: the result page measures the difference.",
    )
