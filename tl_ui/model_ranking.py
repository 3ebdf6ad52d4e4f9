"""Which pretrained model suits my images? Scores before any training, terms, time and size."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from tl_core import track_record, transferability, weights
from tl_core.answers import RankedModel, Ranking
from tl_core.catalog import catalog
from tl_core.config import ComparisonConfig
from tl_core.datasets import Dataset
from tl_core.record import record
from tl_core.request import data_config
from tl_core.transferability import FEWEST_MODELS, ONE_BACKBONE, SCORES
from tl_core.weights import WeightsFile
from tl_core.wording import number_of
from tl_ui import asking, current, model_choice
from tl_ui.state import choice
from tl_ui.widgets import safe_label

_SHOWN = [name for name, score in SCORES.items() if score.on_screen]


def section(data: Dataset) -> None:
    """Show the question, and its answer once it has been asked."""
    here = weights.local_models()
    if not here:
        st.info("No model's weights are on this machine yet: download one below.")
        return
    found = asking.answer(
        "rank",
        _config(data, here[0]),
        {"models": [file.sha256 for file in here]},
        label=f"Rank {number_of(len(here), 'model')} on these images",
        help="Every model whose weights are here looks at the training images once. Nothing is "
        "trained, and no test image is looked at.",
    )
    if not isinstance(found, Ranking):
        st.caption(
            "Scores of the features that a model gives your training images, before any training. "
            "Models whose weights are not here have to be downloaded first."
        )
        return
    _answer(found, here, data)


def _config(data: Dataset, file: WeightsFile) -> ComparisonConfig:
    """Return a configuration that stays the same whichever model is chosen: all are ranked."""
    row = catalog()[file.model]
    return ComparisonConfig(
        data=data_config(data, None, row, draws=False),
        backbone=row.name,
        weights_sha256=file.sha256,
        strategies=(),
    )


def _answer(found: Ranking, here: Sequence[WeightsFile], data: Dataset) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.segmented_control(
            "Best first, by",
            _SHOWN,
            default=_SHOWN[0],
            required=True,
            format_func=lambda name: SCORES[name].title,
            key="ranking_by",
            persist_state="session",
        )
        sold = st.toggle(
            "Only models I may use commercially",
            key="ranking_sold",
            persist_state="session",
            help="As far as the terms of their weights say so.",
        )
    reached = _reached(here, data)
    names = [row.name for row in catalog().values() if not sold or row.weights.may_be_sold == "yes"]
    order = ordered(found, names, by)
    _table(order, {one.model: one for one in found.models}, reached)
    _best(order, found, by)
    st.caption(
        f"On {number_of(found.images, 'training image')} of "
        f"{number_of(found.classes, 'class', 'classes')}, ordered by {SCORES[by].title}. "
        "By chance: the same score on shuffled labels; a value near it tells nothing. "
        f"{ONE_BACKBONE}"
    )
    _agreement(found, reached)
    _cautions(found)


def ordered(found: Ranking, names: Sequence[str], by: str) -> list[str]:
    """Return models, best first by a score; those without the score follow as they stand."""
    values = {one.model: one.scores[by].value for one in found.models if by in one.scores}
    return sorted(names, key=lambda name: -values.get(name, float("-inf")))


def _table(
    names: Sequence[str], ranked: Mapping[str, RankedModel], reached: Mapping[str, float]
) -> None:
    if not names:
        st.info("No model is left.", icon=":material/gavel:")
        return
    frame = _frame(names, ranked, reached)
    st.dataframe(
        frame,
        key=f"ranked_{choice().backbone}",
        hide_index=True,
        height=38 + 35 * len(frame),
        on_select=lambda: _picked(names),
        selection_mode="single-row",
        column_config=_columns(),
        placeholder="–",
        alt="Models, best first, with transferability scores, time, size and commercial terms",
    )


def _frame(
    names: Sequence[str], ranked: Mapping[str, RankedModel], reached: Mapping[str, float]
) -> pd.DataFrame:
    rows = [catalog()[name] for name in names]
    looks = [ranked.get(name) for name in names]
    columns: dict[str, list[object]] = {
        "Model": [row.title for row in rows],
        "Weights": ["here" if look else "download to rank" for look in looks],
        "Commercial use": [row.weights.may_be_sold for row in rows],
    }
    for name in _SHOWN:
        scores = [look and look.scores.get(name) for look in looks]
        columns[name] = [score and score.value for score in scores]
        columns[f"{name} shuffled"] = [score and score.shuffled for score in scores]
    columns |= {
        "Measured": [100 * reached[name] if name in reached else None for name in names],
        "Seconds": [look and look.seconds for look in looks],
        "ms an image": [look and look.milliseconds for look in looks],
        "MB": [row.weights.megabytes for row in rows],
        "Terms": [row.weights.commercial for row in rows],
    }
    return pd.DataFrame(columns)


def _columns() -> dict[str, object]:
    """Return how columns are called, written and explained."""
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    columns: dict[str, object] = {
        "Model": text(pinned=True),
        "Commercial use": text(help="As far as the terms of the weights say; the last column why."),
        "Measured": number(
            format="%.1f%%",
            help="Best test accuracy of your finished comparisons on these images, of strategies "
            "that reuse the model and learn from labels.",
        ),
        "Seconds": number(format="%.1f", help="For the training images, on this machine"),
        "ms an image": number(format="%.1f"),
        "MB": number(format="%.0f"),
    }
    for name in _SHOWN:
        title = SCORES[name].title
        columns[name] = number(title, help=SCORES[name].meaning, format="%.3f")
        shuffled = f"{title} with the labels shuffled: its zero on these images."
        columns[f"{name} shuffled"] = number("by chance", help=shuffled, format="%.3f")
    return columns


def _picked(names: Sequence[str]) -> None:
    selected = st.session_state[f"ranked_{choice().backbone}"].selection.rows
    if selected:
        model_choice.select(names[selected[0]])


def _best(order: Sequence[str], found: Ranking, by: str) -> None:
    """Offer the first of the table, unless it is the chosen one."""
    best = next(
        (m for m in order if any(o.model == m and by in o.scores for o in found.models)), None
    )
    if best is None:
        st.info(f"These images are too few for {SCORES[by].title}.", icon=":material/info:")
        return
    is_chosen = best == choice().backbone
    st.button(
        f"{catalog()[best].title} is the chosen model"
        if is_chosen
        else f"Use {catalog()[best].title}",
        key="ranking_use",
        icon=":material/check:",
        disabled=is_chosen,
        on_click=model_choice.select,
        args=(best,),
        help="Or click the box left of any row.",
    )


def _reached(here: Sequence[WeightsFile], data: Dataset) -> dict[str, float]:
    """Return the best accuracy of finished comparisons on these images with the ranked weights."""
    ranked = {file.sha256 for file in here}
    jobs = current.store().list(limit=asking.LOOK_BACK, kind="compare")
    return track_record.best_by_model(
        (job.config.backbone, _best_accuracy(job.id, job.ended))
        for job in jobs
        if job.status == "done"
        and job.config is not None
        and job.config.data.fingerprint == data.fingerprint
        and job.config.weights_sha256 in ranked
    )


@st.cache_data(max_entries=256, show_spinner=False)
def _best_accuracy(job: str, ended: float | None) -> float | None:
    return track_record.best_accuracy(record(event for _, event in current.store().events(job)))


def _agreement(found: Ranking, reached: Mapping[str, float]) -> None:
    """Say how well each score foretold what was measured, or how many models that still lacks."""
    measured = {one.model: reached[one.model] for one in found.models if one.model in reached}
    if len(measured) < FEWEST_MODELS:
        st.caption(
            f":material/rule: Were the scores right? That can be told once {FEWEST_MODELS} ranked "
            f"models have been compared on these images: {FEWEST_MODELS - len(measured)} missing."
        )
        return
    said = []
    for name in _SHOWN:
        scores = {one.model: one.scores[name].value for one in found.models if name in one.scores}
        tau = transferability.agreement_with(scores, measured)
        shown = "–" if tau is None else f"{tau:+.2f}".replace("-", "\u2212")
        said.append(f"{SCORES[name].title} {shown}")
    st.markdown(
        f":material/rule: **Were the scores right?** Agreement with the best accuracy of "
        f"{len(measured)} trained models (weighted Kendall tau, −1 to 1): {', '.join(said)}."
    )


def _cautions(found: Ranking) -> None:
    """Show what to mind about each score on these images; which models, unless it is all."""
    said: dict[tuple[str, str], list[str]] = {}
    for one in found.models:
        for name, score in one.scores.items():
            for caution in score.cautions:
                said.setdefault((name, caution), []).append(one.title)
    with st.expander("What these scores do not tell", icon=":material/warning:"):
        for (name, caution), titles in sorted(said.items(), key=lambda item: item[0]):
            whose = "" if len(titles) == len(found.models) else f" ({', '.join(titles)})"
            st.markdown(f"- **{SCORES[name].title}**{whose}: {safe_label(caution, 400)}")
