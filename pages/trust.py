"""Trust: what a finished comparison cannot be relied on for; `?job=` says which one."""

import streamlit as st

from tl_core import glossary
from tl_ui import shell, trust_choice, trust_view
from tl_ui.widgets import show_flash

shell.require_shell()
st.title("Can I trust it?", help=glossary.explain("interval", "calibration"))
show_flash()

job = trust_choice.section()
if job is not None:
    trust_view.show(job)
