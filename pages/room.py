"""The room, for its teacher: how people get in, who is here, the queue, what was found."""

import streamlit as st

from tl_ui import class_view, current, identity, room_entrance, room_people, room_queue, shell
from tl_ui.widgets import show_flash

shell.require_shell()
room = current.whole_store().room()
if not identity.in_room() or room is None:
    st.title("No room is open")
    st.markdown(
        "Several people can use this app together: `python -m tl_core room` opens it to the "
        "network, says what that means, and prints a link, a code and a link for the teacher."
    )
elif not identity.is_teacher():
    st.title("The teacher's page")
    st.markdown(
        "Only the teacher sees the room's queue and people. Your own comparisons are in the "
        "History; what everybody has found is on the Lessons page."
    )
elif room_entrance.is_large():
    room_entrance.large(room)
else:
    st.title("The room")
    show_flash()
    room_entrance.section(room)
    st.header("Queue", anchor=False)
    room_queue.section()
    st.header("People", anchor=False)
    room_people.section()
    st.header("Guesses and results", anchor=False)
    class_view.section()
