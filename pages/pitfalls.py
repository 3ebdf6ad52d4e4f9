"""Pitfalls: predict what goes wrong, see it happen in half a minute, understand, undo."""

import streamlit as st

from tl_core import glossary
from tl_ui import card_grid, pitfall_card, pitfall_run, shell
from tl_ui.card_deck import PITFALL_DECK
from tl_ui.widgets import show_flash

shell.require_shell()
st.title("What can go wrong, and how would I notice?", help=glossary.explain("transfer learning"))
show_flash()

opened, there = PITFALL_DECK.opened(), pitfall_run.known()
if opened is None:
    st.markdown(
        "Each card is one way in which reusing a trained model fails. **Predict** what will "
        "happen, **run** a small experiment on sample images, **see** what was measured, and read "
        "what to do about it. Nothing here changes what you chose in the Lab."
    )
else:
    pitfall_card.section(opened, there)
    st.subheader("All pitfalls", anchor=False)
card_grid.section(
    PITFALL_DECK,
    opened,
    caption=lambda pitfall: pitfall.question,
    stage=lambda pitfall: pitfall_run.stage(pitfall, there),
)
