"""Lessons: ready experiments for a class, and side by side what a class has measured."""

import streamlit as st

from tl_core import glossary
from tl_ui import card_grid, class_view, lesson_card, lesson_run, shell
from tl_ui.card_deck import LESSON_DECK
from tl_ui.widgets import show_flash

shell.require_shell()
st.title("What shall we find out today?", help=glossary.explain("transfer learning"))
show_flash()

opened, there = LESSON_DECK.opened(), lesson_run.known()
if opened is None:
    st.markdown(
        "Each lesson asks one question of transfer learning. **Predict** the answer, **run** a "
        "comparison of about a minute on sample images, and see what was **measured**: the "
        "ending is not written down anywhere. Nothing here changes what you chose in the Lab."
    )
else:
    lesson_card.section(opened, there)
    st.subheader("All lessons", anchor=False)
card_grid.section(
    LESSON_DECK,
    opened,
    caption=lambda lesson: f"{lesson.question} ({lesson.minutes} minutes)",
    stage=lambda lesson: lesson_run.stage(lesson, there),
)

st.header("Class overview", anchor=False)
class_view.section()
