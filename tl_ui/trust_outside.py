"""None of these: are images that belong to no class noticed?"""

import streamlit as st

from tl_core import figures, outside
from tl_core.config import RATED_FROM
from tl_core.outside import KEPT, Outside
from tl_core.wording import number_of, percent
from tl_ui import plots, trust_evidence, trust_parts
from tl_ui.trust_evidence import Subject
from tl_ui.widgets import safe_label

_HELP = {
    "Accepted all the same": "Share of the images that are none of your classes whose confidence "
    "reaches the threshold, with its 95% interval. Low is good.",
    "Test images kept": "Share of your test images that reach the same threshold. High is good.",
    "Told apart (AUROC)": "How often a test image is surer than an image that is none of your "
    "classes, in percent: 50 is a coin toss, 100 is perfect.",
    "Threshold": f"The confidence that {KEPT:.0%} of the validation images reach; mean over seeds.",
}


def section(of: Subject) -> None:
    """Show what strategies do with source images of classes that the user does not have."""
    started = of.found.started
    assert started is not None
    images = int(outside.outside_images(of.found).sum())
    if started.source is None or images < RATED_FROM:
        st.info(
            f"This needs at least {RATED_FROM} source images of classes that are none of yours; "
            f"there {'is' if images == 1 else 'are'} {images}. Bring source images on the Data "
            "page, or choose the bundled model, which draws its own, and compare again.",
            icon=":material/image_search:",
        )
        return
    found = trust_evidence.strangers(of)
    if not found:
        trust_parts.not_kept(of, "how sure each strategy was of the source images")
        return
    found.sort(key=lambda one: of.measured.index(one.strategy))
    by_name = {one.strategy: one for one in found}
    name = trust_parts.strategy(of, list(by_name), "outside")
    left, right = st.columns([660, 560], gap="medium")
    with left:
        _chart(of, by_name[name])
    with right:
        _words(of, by_name[name], started.source.name)
    _table(of, found)


def _words(of: Subject, one: Outside, source: str) -> None:
    ends = f"{percent(one.accepted.low)} to {percent(one.accepted.high)}"
    st.markdown(
        f"**{of.titles[one.strategy]} accepts {percent(one.accepted.value)} of the images that are "
        f"none of your classes** ({ends}), at a threshold that was to keep {KEPT:.0%} of yours and "
        f"keeps {percent(one.kept.value)} of your test images."
    )
    if one.auroc.low > 0.5:
        st.markdown(
            f"A test image is the surer one of two in {percent(one.auroc.value)} of pairs: "
            "confidence tells some of them apart."
        )
    else:
        st.markdown(
            f"A test image is the surer one of two in {percent(one.auroc.value)} of pairs, no "
            "better than a coin: **confidence does not notice strangers here.**"
        )
    st.caption(
        f"{number_of(one.images, 'source image')} ({safe_label(source, 60)}) of classes that none "
        "of yours is mapped to stand for strangers. Other strangers may be told apart far worse."
    )


def _chart(of: Subject, one: Outside) -> None:
    both = outside.confidences(of.found, one.strategy)
    if both is None:
        return
    figure = figures.confidence_histogram(*both, one.threshold, one.strategy)
    plots.show(
        figure,
        key="chart_outside",
        file="confidence-on-strangers",
        alt=f"Confidence of {of.titles[one.strategy]} on test images and on images that are none "
        f"of your classes; the threshold is {percent(one.threshold)}",
    )


def _table(of: Subject, found: list[Outside]) -> None:
    trust_parts.table(
        {
            "Strategy": [of.titles[one.strategy] for one in found],
            "Accepted all the same": [trust_parts.percents(one.accepted) for one in found],
            "Test images kept": [trust_parts.percents(one.kept) for one in found],
            "Told apart (AUROC)": [trust_parts.percents(one.auroc) for one in found],
            "Threshold": [percent(one.threshold) for one in found],
        },
        _HELP,
        "What each strategy does with images that are none of your classes",
        "outside",
    )
