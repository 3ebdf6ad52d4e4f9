"""Model & layers: which pretrained model, its weights, layers and classes; is it fed rightly?"""

import streamlit as st

from tl_core import glossary
from tl_ui import (
    class_map_editor,
    current,
    handover,
    layers,
    lesson_link,
    model_choice,
    model_ranking,
    shell,
    theme,
    weights_choice,
)
from tl_ui.widgets import show_flash

shell.require_shell()
st.title(
    "Which model, and which of its layers?", help=glossary.explain("pretrained model", "backbone")
)
st.page_link(theme.LAB, label="Back to the Lab", icon=":material/arrow_back:")
show_flash()

row = model_choice.section()

data = current.dataset()
st.header("Which pretrained model suits my images?", help=glossary.explain("transferability score"))
model_ranking.section(data)

st.header("Weights", help=glossary.explain("weights"))
weights_choice.section(row)

if not lesson_link.hidden("layers"):
    st.header("Layers: what is frozen, what is trained", help=glossary.explain("block", "frozen"))
    layers.section(row, len(data.classes))

st.header(
    "Zero-shot: your classes in the model's words",
    help=glossary.explain("zero-shot transfer", "class map"),
)
class_map_editor.section(row, data)

st.header("Are my images handed over rightly?", help=glossary.explain("preprocessing"))
handover.section()
