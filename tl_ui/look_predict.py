"""Predict a folder: file, class and confidence of every image, and which are worth labelling."""

import numpy as np
import pandas as pd
import streamlit as st

from tl_core import unsure
from tl_core.answers import Prediction
from tl_core.csv_export import csv_text
from tl_core.datasets import Dataset
from tl_core.events import RunEnded
from tl_core.predicted import predicted_frame
from tl_core.wording import number_of, percent, spread
from tl_ui import asking, current, finished_models, upload
from tl_ui.looked import Looked
from tl_ui.widgets import flash, plain_label, safe_label, thumbnail

_KEY = "predict_images"
_SHOWN = 200
_WIDTH = 96


def section(of: Looked) -> None:
    """Take a folder or zip of unlabelled images and predict them with one finished model."""
    st.caption(
        "A folder or zip of images that nobody has labelled. The model predicts each; where it is "
        "unsure a person should look."
    )
    run = finished_models.choose(of, "predict")
    brought = _brought()
    if brought is None:
        upload.section("unlabelled", _taken)
    if run is None or brought is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        count = number_of(len(brought.images), "image")
        st.markdown(f"**{safe_label(brought.name)}**: {count}", width="content")
        st.button("Bring others", key="predict_others", on_click=_forget)
    found = asking.answer(
        "predict",
        finished_models.config(of),
        finished_models.request([run], unlabelled=brought.fingerprint),
        label="Predict these images",
        help="One look of the finished model at every image.",
        primary=True,
    )
    if isinstance(found, Prediction):
        _show(brought, found, run)


def _brought() -> Dataset | None:
    fingerprint = st.session_state.get(_KEY)
    return current.load(fingerprint) if fingerprint else None


def _taken(data: Dataset) -> None:
    st.session_state[_KEY] = data.fingerprint
    flash(f"{number_of(len(data.images), 'image')} taken in.")


def _forget() -> None:
    st.session_state.pop(_KEY, None)


def _show(brought: Dataset, found: Prediction, run: RunEnded) -> None:
    limit = unsure.threshold(run)
    table = predicted_frame(found, limit.value if limit else None)
    _words(table, limit)
    shown = table.head(_SHOWN).copy()
    shown["file"] = [plain_label(name, 80) for name in shown["file"]]
    shown["class"] = [plain_label(name, 60) for name in shown["class"]]
    shown["confidence"] *= 100
    st.dataframe(
        shown[["file", "class", "confidence", "unsure"]],
        hide_index=True,
        height=min(38 + 35 * len(shown), 340),
        column_config={
            "confidence": st.column_config.NumberColumn(
                format="%.1f%%", help="The probability that the model gives to this class."
            ),
            "unsure": st.column_config.CheckboxColumn(
                help="Under the threshold chosen on validation images."
            ),
        },
        alt="Predicted class and confidence of every file",
    )
    if len(table) > _SHOWN:
        st.caption(f"The first {_SHOWN} are shown; the CSV has all {len(table):,}.")
    st.download_button(
        "Predictions as CSV",
        csv_text(table),
        file_name="predictions.csv",
        mime="text/csv",
        icon=":material/table:",
        on_click="ignore",
    )
    _worth(brought, found, table)


def _words(table: pd.DataFrame, limit: unsure.Threshold | None) -> None:
    counts = table["class"].value_counts()
    said = ", ".join(f"{safe_label(name, 40)} {count:,}" for name, count in counts.head(6).items())
    more = f" and {len(counts) - 6} more classes" if len(counts) > 6 else ""
    st.markdown(f"**{said}{more}.** {number_of(int(table['unsure'].sum()), 'image')} unsure.")
    if limit is None:
        st.caption("This comparison is older than the threshold: run it again to have one.")
        return
    if limit.right is None:
        st.caption(
            "No confidence of this model is right 95% of the time on validation images: every "
            "answer is called unsure."
        )
        return
    right, sure = limit.right, limit.sure
    st.caption(
        f"Unsure: under {percent(limit.value)}, the threshold from validation images. On test "
        f"images {percent(sure.value)} ({spread(100 * sure.low, 100 * sure.high)}) reach it, and "
        f"of these {percent(right.value)} ({spread(100 * right.low, 100 * right.high)}) are right."
    )


def _worth(brought: Dataset, found: Prediction, table: pd.DataFrame) -> None:
    """Show the images from which the strategy would learn most."""
    if not found.worth_labelling:
        return
    st.markdown("**Most worth labelling**")
    st.caption(
        "The model is least certain of these, and they are unlike each other: label them, add "
        "them to your images and compare again."
    )
    place = {name: index for index, name in enumerate(image.name for image in brought.images)}
    by_file = table.set_index("file")
    with st.container(horizontal=True, gap="small"):
        for index in found.worth_labelling:
            name = found.images[index]
            if name not in place:
                continue
            row = by_file.loc[name]
            row = row.iloc[0] if isinstance(row, pd.DataFrame) else row
            with st.container(width=_WIDTH + 24, gap="xxsmall"):
                st.image(thumbnail(brought, place[name]), width=_WIDTH, alt=plain_label(name[-60:]))
                share = percent(float(np.asarray(row["confidence"])))
                st.caption(f"{safe_label(row['class'], 24)} {share}")
