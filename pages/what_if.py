"""What if: one thing varied, everything else held equal; `?job=` is the thread back to a sweep."""

import streamlit as st

from tl_core import glossary
from tl_ui import current, measured_front, shell, sweep_jobs, sweep_live, sweep_results, sweep_setup
from tl_ui.widgets import show_flash

shell.require_shell()
show_flash()

wanted = st.query_params.get("job")
job = current.store().get(wanted) if wanted else None
if wanted and (job is None or job.kind != "sweep" or sweep_jobs.sweep_of(job) is None):
    st.warning(
        "That sweep is no longer here. It may have been deleted.", icon=":material/search_off:"
    )
    job = None
if job is None:
    st.title("What if …?", help=glossary.explain("strategy", "interval"))
    sweep_setup.show()
elif job.active:
    sweep_live.show(job)
else:
    sweep_results.show(job)
if job is None or not job.active:
    measured_front.section(job)
