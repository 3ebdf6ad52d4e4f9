"""Interpolate: the models between the linear probe and a fine-tuned one, by a slider (WiSE-FT)."""

import streamlit as st

from tl_core import figures, interpolated
from tl_core.answers import Interpolation
from tl_core.catalog import catalog
from tl_core.events import RunEnded
from tl_core.interpolated import Path, Point
from tl_core.stats import Interval
from tl_core.wording import listed, number_of, points, spread
from tl_ui import asking, finished_models, plots
from tl_ui.looked import Looked
from tl_ui.widgets import safe_label


def section(of: Looked) -> None:
    """Ask what lies between the two models of a run, and let a slider go from one to the other."""
    st.caption(
        "Average the weights of the linear probe with those of a fine-tuned model, its head "
        "included: nothing is trained. Often a point between keeps most of both skills (WiSE-FT, "
        "Wortsman et al. 2022)."
    )
    names = [name for name in interpolated.candidates(of.found) if name in of.measured]
    first = interpolated.first_choice(names, of.rows)
    if first is None:
        st.info(
            "None of the shown strategies was fine-tuned from the source model, so there is no way "
            "to one. Show one that was.",
            icon=":material/linear_scale:",
        )
        return
    among = sorted(names, key=lambda name: name != first)
    run = finished_models.choose(of, "interpolate", among)
    if run is None:
        return
    request = {"norm_statistics": True} if _reestimates(of) else {}
    found = asking.answer(
        "interpolate",
        finished_models.config(of),
        finished_models.request([run], **request),
        label="Measure the models between",
        help="Eleven models look at the test, validation and source images. Nothing is trained.",
        primary=True,
    )
    if isinstance(found, Interpolation):
        _show(of, run, found)


def _reestimates(of: Looked) -> bool:
    """Offer other normalisation statistics where the model has any; return whether they are on."""
    row = catalog().get(finished_models.config(of).backbone)
    if row is None or row.normalisation != "batch":
        return False
    return st.toggle(
        "Estimate normalisation statistics again",
        key=of.key("interpolate_statistics"),
        help="Averaged weights see activations that neither end has seen. With this, batch "
        "normalisation between the ends takes its statistics from the training images, which are "
        "no source images. The ends stay as they are.",
    )


def _show(of: Looked, run: RunEnded, found: Interpolation) -> None:
    judged = _judged(of.key(found.run_id), found.points[1].reestimated, found)
    title = safe_label(found.title)
    if not judged.shows_source:
        st.info(
            "There are too few labelled source images for a rate, so only your own task is shown.",
            icon=":material/psychology_alt:",
        )
    place = judged.best if judged.best is not None else len(judged.points) // 2
    share: int = st.slider(
        f"Share of the way from the linear probe (0%) to {title} (100%)",
        0,
        100,
        round(100 * judged.points[place].share),
        10,
        format="%d%%",
        key=of.key(f"interpolate_share_{found.run_id[:16]}"),
    )
    marked = share // 10
    chart, words = st.columns([3, 2])
    with chart:
        plots.show(
            figures.path_points(judged, found.strategy, marked),
            key=of.key("chart_path"),
            file="between-linear-probe-and-fine-tuned",
            alt=f"Models between the linear probe and {found.title}: "
            f"{figures.describe_path(judged)}",
        )
    with words:
        _words(judged.points[marked], found)
    _choice(judged, found)
    st.caption(
        "0% is the linear probe: the original backbone as it was, with a head solved on its "
        f"features. 100% is {title} as it was trained. Bars and brackets: 95% intervals, of "
        "differences over the same images, each point by itself; one seed, so this split and this "
        "start only."
    )
    st.code(_command(of, run, found), language="bash", wrap_lines=True)


@st.cache_data(max_entries=32, show_spinner=False)
def _judged(key: str, reestimated: bool, _found: Interpolation) -> Path:
    return interpolated.path(_found)


def _words(point: Point, found: Interpolation) -> None:
    """Say what the point under the slider is worth."""
    st.markdown(f"**{point.share:.0%} of the way**" + _end(point.share))
    tested = number_of(len(found.test_labels), "test image")
    lines = [f"Your task: {_rate(point.target)} of {tested}; {_against(point.target_difference)}"]
    if point.source is not None and point.source_difference is not None:
        images = number_of(len(found.source_labels), "source image")
        if found.set_aside:
            every = number_of(len(found.source_labels) + found.set_aside, "source image")
            images = f"{len(found.source_labels):,} of {every}"
        lines.append(
            f"Source task: {_rate(point.source)} of {images}; {_against(point.source_difference)}"
        )
    st.markdown("\n".join(f"- {line}" for line in lines))
    if point.dominates:
        st.markdown(
            ":material/check_circle: Keeps measurably more of the source task than the fine-tuned "
            "model and loses nothing measurable on yours."
        )


def _end(share: float) -> str:
    return {0.0: ": the linear probe itself", 1.0: ": the fine-tuned model itself"}.get(share, "")


def _rate(of: Interval) -> str:
    return f"**{points(of.value)}%** ({spread(of.low, of.high)})"


def _against(of: Interval) -> str:
    ends = f"{points(of.value, True)} points ({spread(of.low, of.high, True)})"
    if of.contains_zero:
        return f"{ends} against the fine-tuned model: no measurable difference."
    return f"{ends}: measurably {'better' if of.value > 0 else 'worse'} than the fine-tuned model."


def _choice(judged: Path, found: Interpolation) -> None:
    """Say which point was chosen and by what, or why none is, and which points dominate."""
    if judged.best is None:
        st.info(
            f"**No point is chosen here**, since that could not be done honestly. "
            f"{judged.why_none}",
            icon=":material/do_not_disturb_on:",
        )
    else:
        images = number_of(found.learning_images, "source image")
        st.markdown(
            f":material/star: **Chosen: {judged.points[judged.best].share:.0%} of the way.** Of "
            "the points whose validation accuracy is at most one standard error under the "
            f"fine-tuned model's, it recognises most of {images} kept apart for choosing. Neither "
            "the test images nor the source images of this chart had a part in it."
        )
    if judged.dominating:
        st.markdown(
            "More source skill than the fine-tuned model without a measurable loss on your task: "
            f"{listed(judged.dominating)} of the way."
        )
    elif judged.shows_source:
        st.markdown(
            "No point keeps measurably more of the source task than the fine-tuned model without "
            "a measurable loss on yours."
        )


def _command(of: Looked, run: RunEnded, found: Interpolation) -> str:
    words = f"python -m tl_core interpolate {of.job.id[:12]} --strategy {found.strategy}"
    words += f" --seed {run.run.seed + 1}"
    return words + (" --norm-statistics" if found.points[1].reestimated else "")
