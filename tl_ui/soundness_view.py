"""Is my data sound, and is it like the source? Findings with their images, and what to do."""

import streamlit as st

from tl_core.answers import Soundness
from tl_core.datasets import Dataset
from tl_core.domain import FAR_MMD
from tl_core.wording import number_of
from tl_ui import asking, finding_view, launch
from tl_ui.state import choice
from tl_ui.widgets import safe_label


def section(data: Dataset) -> None:
    """Show the answer of the data check, or the button that asks for it."""
    st.caption(
        "Looks for exact and near copies across training and test, labels that look wrong, images "
        "unlike all others, blank ones, tiny classes, and for a distance from what the model was "
        "trained on. Nothing is changed without you."
    )
    found = asking.answer(
        "check",
        launch.prepared(choice()).config,
        label="Check my data",
        help="Every image is compared with every other one, through the chosen model's eyes.",
        primary=True,
    )
    if isinstance(found, Soundness):
        _findings(data, found)
        st.subheader("Is it like what the model was trained on?", anchor=False)
        distances(found)


def _findings(data: Dataset, found: Soundness) -> None:
    if found.mismatch:
        st.error(safe_label(found.mismatch, 400), icon=":material/invert_colors:")
    loud = [finding for finding in found.findings if finding.severity != "fine"]
    if not loud and not found.mismatch:
        st.success(
            f"Nothing to mend in {number_of(found.images, 'image')}.", icon=":material/verified:"
        )
    elif loud:
        serious = sum(finding.severity == "serious" for finding in loud)
        st.markdown(
            f"**{number_of(len(loud), 'finding')}** in {number_of(found.images, 'image')}, "
            f"{serious} of them serious."
        )
    for finding in sorted(loud, key=lambda finding: finding.severity != "serious"):
        finding_view.show(data, finding)
    fine = [finding for finding in found.findings if finding.severity == "fine"]
    if fine:
        with st.expander(f"Looked for and not found ({len(fine)})", icon=":material/check:"):
            for finding in fine:
                title, said = safe_label(finding.title), safe_label(finding.text, 300)
                st.markdown(f"**{title}**: {said}")


def distances(found: Soundness) -> None:
    """Show how far the images lie from the source images, beside the source's own spread."""
    if not found.distances:
        st.caption(
            "There is nothing to compare with: that needs at least 20 source images and 10 of "
            "yours. Bring source images below, or choose the bundled model, which draws its own."
        )
        return
    mmd = next(one for one in found.distances if one.name == "mmd")
    if mmd.value >= FAR_MMD:
        st.markdown(
            f"**Your images are another kind of picture than the model's own** ({mmd.title} "
            f"{mmd.value:.2f}; from {FAR_MMD} on counts as far, a rule of thumb). That is no "
            "fault; the further away, the less a frozen backbone may fit, and the more fine-tuning "
            "deeper blocks or from scratch deserve a try."
        )
    elif mmd.value > mmd.null_high:
        st.markdown(
            f"**Near what the model was trained on** ({mmd.title} {mmd.value:.2f}; from "
            f"{FAR_MMD} on counts as far, a rule of thumb), though not the same."
        )
    else:
        st.markdown("**No difference found** between your images and the source images.")
    st.dataframe(
        {
            "Distance": [one.title for one in found.distances],
            "Your images": [_number(one.value) for one in found.distances],
            "Source with itself": [
                f"{_number(one.null_low)} to {_number(one.null_high)}" for one in found.distances
            ],
            "Chance goes as far": [f"p = {one.p:.3f}" for one in found.distances],
        },
        hide_index=True,
        height=38 + 35 * len(found.distances),
        alt="Distances between your images and the source images",
    )
    st.caption(
        f"Measured on the model's features of your images and of "
        f"{number_of(found.source_images, 'source image')} ({safe_label(found.source)}). "
        '"Source with itself": 95% of what chance gives between parts of the source images.'
    )


def _number(value: float) -> str:
    return f"{value:.3g}"
