"""Take it away: a comparison's report, table, predictions and script as files, and its command.

Files are made when they are asked for: intervals and flags take a moment.
"""

import json
from collections.abc import Callable

import streamlit as st

from tl_core import columns, evidence, owners, report
from tl_core.csv_export import csv_text
from tl_core.document import document
from tl_core.prediction_table import prediction_frame
from tl_core.recording import Recording
from tl_core.script import script
from tl_core.store import Comparison
from tl_ui import current, trust_sources
from tl_ui.follow import Followed
from tl_ui.trust_evidence import subject


def section(job: Comparison, followed: Followed) -> None:
    """Offer all files of a comparison that has measured something, and how to get them again."""
    found = followed.found
    if found.started is None:
        st.caption("Nothing was measured, so there is nothing to take away.")
        return
    config, store = found.started.config, current.store()
    # Here, not in the file's making: the user's own table is known to this session alone.
    attributes = trust_sources.attributes(subject(job, followed))
    data = current.load(config.data.fingerprint)

    def whole() -> str:
        return report.html(report.of_job(store, job, found, attributes))

    def predictions() -> str:
        names = [image.name for image in data.images] if data is not None else None
        return csv_text(prediction_frame(found, names))

    st.markdown(
        "**The report** is one file with everything on this page and on the Trust page. It opens "
        "in any browser, without the app and without a network."
    )
    with st.container(horizontal=True):
        _file("Report", "report.html", whole, "text/html", ":material/article:", primary=True)
        _tables(followed, "comparison")
        _file("Predictions as CSV", "predictions.csv", predictions, "text/csv", ":material/list:")
        _file(
            "Python script",
            "reproduce.py",
            lambda: script(config, evidence.findable(data)),
            "text/x-python",
            ":material/code:",
        )
    st.caption(
        "Predictions: a line for each seed and test image, with what every strategy said and how "
        "sure it was. The script gives the numbers again, and refuses other images."
    )
    st.markdown("The command that gives these numbers again:")
    st.code(found.started.command, language="bash", wrap_lines=True)
    st.markdown("The report without the app (`--csv`, `--json`, `--predictions`, `--script` too):")
    again = f"python -m tl_core report {job.id[:12]} --out report.html"
    st.code(again, language="bash", wrap_lines=True)


def recorded(followed: Followed, recording: Recording) -> None:
    """Offer the files of a recorded comparison; all of them say that it is one."""
    with st.container(horizontal=True):
        _file(
            "Report",
            "recorded-report.html",
            lambda: report.html(report.of_recording(recording)),
            "text/html",
            ":material/article:",
        )
        _tables(followed, "recorded-comparison", recording)


def _tables(followed: Followed, name: str, recording: Recording | None = None) -> None:
    found, rows = followed.found, followed.rows
    _file(
        "Table as CSV",
        f"{name}.csv",
        lambda: csv_text(columns.export_frame(found, rows, recording)),
        "text/csv",
        ":material/table:",
    )
    _file(
        "Everything as JSON",
        f"{name}.json",
        lambda: json.dumps(document(found, rows, recording), indent=1),
        "application/json",
        ":material/data_object:",
    )


def _file(
    label: str, name: str, make: Callable[[], str], mime: str, icon: str, primary: bool = False
) -> None:
    st.download_button(
        label,
        owners.bound(make),
        file_name=name,
        mime=mime,
        icon=icon,
        type="primary" if primary else "secondary",
        on_click="ignore",
    )
