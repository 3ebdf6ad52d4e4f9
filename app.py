"""The app's entry: `streamlit run app.py`. Page setup, the queue's process, the shell, the page."""

import streamlit as st

from tl_ui import runner, shell

st.set_page_config(page_title="Transfer Lab", page_icon=str(shell.ICON), layout="wide")
runner.keep_alive()
page = shell.navigate()
with shell.marked():
    shell.strip()
    page.run()
