"""Are my images handed over rightly? What each mistake in preprocessing would cost on them."""

import pandas as pd
import streamlit as st

from tl_core import figures
from tl_core.answers import Estimate, Stress
from tl_core.dots import stress_dots
from tl_core.stats import smallest_visible_gap
from tl_core.variants import VARIANTS
from tl_core.wording import number_of, percent, points, spread
from tl_ui import asking, launch, plots
from tl_ui.state import choice
from tl_ui.widgets import problem

# Under this many test images losses are hardly more than noise.
FEW_IMAGES = 20


def section() -> None:
    """Show the question, and its answer once it has been asked."""
    st.caption(
        "The commonest reason why a model is good here and bad elsewhere: images reach it in "
        "another way than it was trained for. This makes each mistake on purpose."
    )
    found = asking.answer(
        "stress",
        launch.prepared(choice()).config,
        label=f"Try {len(VARIANTS)} mistakes on my images",
        help="The linear probe is solved on images as they are meant to be; then test images are "
        "handed over in every wrong way. Nothing else is trained.",
    )
    if isinstance(found, Stress):
        show(found)


def show(found: Stress) -> None:
    """Show what the app's check sees in the images, and what every mistake costs."""
    if found.mismatch:
        problem(found.mismatch)
    else:
        st.success(
            "Your images are handed over as the weights expect them: the values that reach the "
            "network and the order of its colours are right.",
            icon=":material/check_circle:",
        )
    few = found.images < FEW_IMAGES
    gap = points(100 * smallest_visible_gap(found.images))
    size = f"{number_of(found.images, 'test image')}, of which the probe gets "
    size += f"{percent(found.target_accuracy)} right"
    if few:
        st.warning(f"{size}: too few to tell small losses from chance.", icon=":material/info:")
    else:
        st.caption(f"{size}: losses under about {gap} points look like none.")
    dots = stress_dots(found)
    figure = figures.interval_dots(dots, "Accuracy lost (points)")
    plots.show(
        figure,
        key="chart_stress",
        file="preprocessing-mistakes",
        alt=figures.described(dots),
    )
    _table(found)


def _table(found: Stress) -> None:
    rows = [VARIANTS[one.name] for one in found.variants]
    columns = {
        "Mistake": [row.title for row in rows],
        "Probe loses": [_lost(one.target_loss) for one in found.variants],
    }
    if found.source_accuracy is not None:
        columns["Source task loses"] = [_lost(one.source_loss) for one in found.variants]
    if found.zero_shot_accuracy is not None:
        columns["Zero-shot loses"] = [_lost(one.zero_shot_loss) for one in found.variants]
    columns |= {
        "Noticed": ["yes" if one.noticed else "no" for one in found.variants],
        "What happens": [row.meaning for row in rows],
        "How people come to do that": [row.cause for row in rows],
        "What the check says": [one.noticed for one in found.variants],
    }
    text = st.column_config.TextColumn
    st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        height=38 + 35 * len(rows),
        column_config={
            "Mistake": text(pinned=True),
            "Probe loses": text(help="Points of test accuracy, with the 95% interval"),
            "Source task loses": text(
                help="Points of the original model's accuracy on its own source images"
            ),
            "Noticed": text(help="Whether the app's own check sees it, without any label"),
        },
        alt="What each mistake costs, what happens, who does it, and whether the app notices",
    )


def _lost(loss: Estimate | None) -> str:
    if loss is None:
        return "–"
    return f"{points(loss.value, True)} ({spread(loss.low, loss.high, True)})"
