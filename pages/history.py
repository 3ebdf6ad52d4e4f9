"""History: all comparisons, newest first."""

import streamlit as st

from tl_core import glossary
from tl_ui import history_list, shell
from tl_ui.widgets import show_flash

shell.require_shell()
st.title("What has been compared so far?", help=glossary.explain("verdict", "interval"))
show_flash()
history_list.section()
