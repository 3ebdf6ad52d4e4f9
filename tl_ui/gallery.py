"""Test images with what the strategies answered, for all closer looks that show some."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import streamlit as st

from tl_core.datasets import Dataset
from tl_core.image_answers import Answer, ImageAnswers
from tl_core.limits import BadInput
from tl_core.wording import number_of
from tl_ui import shown
from tl_ui.looked import Looked
from tl_ui.widgets import plain_label, safe_label, thumbnail

PER_PAGE = 12
_WIDTH, _COLUMN = 148, 200

Thing = TypeVar("Thing")


def pages(things: Sequence[Thing], key: str) -> Iterator[Thing]:
    """Let the user turn pages; yield what is on the current one, each in a cell of a grid."""
    count = -(-len(things) // PER_PAGE)
    page = 1
    if count > 1:
        page = st.pagination(count, key=key)
        first = (page - 1) * PER_PAGE
        last = min(first + PER_PAGE, len(things))
        st.caption(f"{first + 1} to {last} of {number_of(len(things), 'image')}.")
    grid = st.grid(min_column_width=_COLUMN, gap="small")
    for thing in things[(page - 1) * PER_PAGE : page * PER_PAGE]:
        with grid.cell(), st.container(gap="xxsmall", border=True):
            yield thing


def picture(data: Dataset, image: int) -> None:
    """Show an image small, with its class and file as its words."""
    record = data.images[image]
    label = plain_label(data.classes[record.label], 40)
    try:
        st.image(thumbnail(data, image), width=_WIDTH, alt=f"{label}: {record.name[-60:]}")
    except BadInput:
        st.caption(":material/broken_image: The stored picture is missing.")


def answers(of: Looked, one: ImageAnswers) -> None:
    """Show each strategy's answer to an image: right or wrong in a word, class and confidence."""
    lines = [
        f"{shown.mark(name)} :small[{safe_label(of.titles[name], 60)}: "
        f"{_said(of, answer, right=answer.predicted == one.label)}]"
        for name, answer in one.answers.items()
    ]
    # No caption: it would pale the colours.
    st.markdown("  \n".join(lines))


def _said(of: Looked, answer: Answer, right: bool) -> str:
    sure = f"{100 * answer.confidence:.0f}% sure"
    split = f", {answer.agreeing} of {answer.runs} seeds" if answer.agreeing < answer.runs else ""
    if right:
        return f":material/check: right, {sure}{split}"
    return (
        f":material/close: **wrong: {safe_label(of.facts.classes[answer.predicted], 40)}**, "
        f"{sure}{split}"
    )
