"""The Lab: set-up, running comparison and result at one address; `?job=` is the thread back."""

import streamlit as st

from tl_ui import current, lab_setup, live, results, shell
from tl_ui.widgets import show_flash

shell.require_shell()
show_flash()

wanted = st.query_params.get("job")
job = current.store().get(wanted) if wanted else None
if wanted and (job is None or job.kind != "compare"):
    st.warning(
        "That comparison is no longer here. It may have been deleted.", icon=":material/search_off:"
    )
    job = None
if job is None:
    lab_setup.show()
elif job.active:
    live.show(job)
else:
    results.show(job)
