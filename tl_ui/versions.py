"""A comparison's data as they were, and as they are now: what changed, and comparing anew."""

from dataclasses import dataclass

import streamlit as st

from tl_core import lineage
from tl_core.config import ComparisonConfig
from tl_core.datasets import Dataset
from tl_ui import current, launch, redraw
from tl_ui.looked import Looked
from tl_ui.state import choose
from tl_ui.widgets import safe_label


@dataclass(frozen=True)
class Versions:
    """The data a comparison was made with, and their version of today; `places`: image to image.

    Images that were dropped since have no place.
    """

    then: Dataset
    now: Dataset
    places: dict[int, int]

    @property
    def changed(self) -> bool:
        """Whether edits lie between the two."""
        return self.then.fingerprint != self.now.fingerprint

    def since(self, image: int) -> str:
        """Return what became of an image since, for Markdown; empty if nothing."""
        place = self.places.get(image)
        if place is None:
            return "dropped since"
        label = self.now.images[place].label
        if self.now.classes[label] == self.then.classes[self.then.images[image].label]:
            return ""
        return f"relabelled since: {safe_label(self.now.classes[label], 40)}"


def versions(of: Looked) -> Versions | None:
    """Return the two versions of a comparison's data, None after saying that they are gone."""
    then = of.data
    if then is None:
        st.warning(
            "The images of this comparison are no longer on this machine: the data set was "
            "deleted. Its numbers stay; bring the same images again to see them.",
            icon=":material/hide_image:",
        )
        return None
    now = current.version(then)
    return Versions(then, now, lineage.counterparts(then, now))


def notice(of: Looked, found: Versions) -> None:
    """Say that the data changed since, and offer the same comparison on them."""
    config = of.job.config
    if not found.changed or config is None:
        return
    new = found.now.edits[len(found.then.edits) :]
    said = " ".join(safe_label(sentence, 200) for sentence in new)
    st.info(
        f"**The data have changed since this comparison.** {said} Its numbers and the pictures "
        "below are of the data as they were.",
        icon=":material/history:",
    )
    with st.container(horizontal=True):
        st.button(
            "Compare the changed data",
            type="primary",
            icon=":material/play_arrow:",
            key=of.key("versions_compare"),
            on_click=_compare,
            args=(config, found.now),
            help="A new comparison with the same settings. This one is kept.",
        )
        st.button(
            "Back to the data as they were",
            icon=":material/undo:",
            key=of.key("versions_back"),
            on_click=_back,
            args=(found.then,),
            help="The changed data are kept and can be chosen again on the data page.",
        )


def _compare(config: ComparisonConfig, data: Dataset) -> None:
    launch.on_data(config, data)
    redraw.ask()


def _back(then: Dataset) -> None:
    choose(dataset=then.fingerprint)
    redraw.ask()
