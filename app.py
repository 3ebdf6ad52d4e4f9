"""The app's entry, `streamlit run app.py`: page setup, the queue's process, door, shell, page."""

import streamlit as st

from tl_core import owners
from tl_ui import (
    big_screen,
    foot,
    gate,
    identity,
    lesson_link,
    runner,
    shell,
    store_trouble,
    workshop,
)

st.set_page_config(page_title="Transfer Lab", page_icon=str(shell.ICON), layout="wide")
# Before anything is read: who has not come in yet is nobody, not this machine's only user.
owners.ask(identity.owner)
store_trouble.meet()
if store_trouble.is_sound():
    runner.keep_alive()
gate.pass_or_stop()
lesson_link.take()
page = shell.navigate()
lesson_link.to_lesson(page)
with store_trouble.watched(), shell.marked():
    big_screen.apply()
    shell.strip()
    lesson_link.banner()
    workshop.banner()
    page.run()
    foot.show()
