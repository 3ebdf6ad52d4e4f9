"""One finding of the data check: its images, and dropping, relabelling or grouping them."""

import streamlit as st

from tl_core.datasets import Dataset
from tl_core.findings import Finding
from tl_core.ingest import edits
from tl_core.wording import number_of
from tl_ui import image_edits
from tl_ui.image_edits import Bench
from tl_ui.widgets import plain_label, safe_label, thumbnail

PER_PAGE = 24
MOST_IN_GROUP = 6
_WIDTH = 96
_ICONS = {"serious": ":material/error:", "worth a look": ":material/visibility:"}
_ADVICE = "Comparisons made before are marked as such; check the data again to see what is left."


def show(data: Dataset, finding: Finding) -> None:
    """Show a finding, folded unless it is serious; with images it offers to edit the data."""
    count = f" ({len(finding.images):,})" if finding.images else ""
    with st.expander(
        f"{safe_label(finding.title)}{count}: {finding.severity}",
        icon=_ICONS.get(finding.severity),
        expanded=finding.severity == "serious",
    ):
        st.markdown(safe_label(finding.text, 600))
        st.caption(safe_label(finding.remedy, 400))
        if finding.groups:
            _groups(data, finding)
        elif finding.images:
            _images(data, finding)
        image_edits.fault(_bench(data, finding))


def _bench(data: Dataset, finding: Finding) -> Bench:
    return Bench(data, finding.kind, _ADVICE)


def _page(finding: Finding, things: int, per_page: int) -> range:
    """Let the user turn pages; return the places of what is on the current one."""
    pages = -(-things // per_page)
    page = st.pagination(pages, key=f"page_{finding.kind}") if pages > 1 else 1
    return range((page - 1) * per_page, min(page * per_page, things))


def _images(data: Dataset, finding: Finding) -> None:
    suggested = dict(zip(finding.images, finding.suggested, strict=False))
    bench, ticked = _bench(data, finding), []
    with st.container(horizontal=True, gap="small"):
        for place in _page(finding, len(finding.images), PER_PAGE):
            image = finding.images[place]
            with st.container(width=_WIDTH + 24, gap="xxsmall"):
                _picture(data, image, suggested.get(image))
                if image_edits.tick(bench, image):
                    ticked.append(image)
    image_edits.controls(bench, ticked, suggested)


def _groups(data: Dataset, finding: Finding) -> None:
    bench, copies = _bench(data, finding), [i for group in finding.groups for i in group[1:]]
    with st.container(horizontal=True):
        image_edits.button(
            bench,
            "Never divide them between training and test",
            lambda: edits.keep_together(data, finding.groups),
            f"{number_of(len(finding.groups), 'group')} stay together in every split.",
        )
        image_edits.button(
            bench,
            f"Keep the first of each, drop {len(copies)}",
            lambda: edits.drop(data, copies),
            f"{number_of(len(copies), 'copy', 'copies')} dropped.",
        )
    shown = _page(finding, len(finding.groups), PER_PAGE // 2)
    with st.container(horizontal=True, gap="small"):
        for place in shown:
            group = finding.groups[place]
            with st.container(horizontal=True, gap="small", border=True, width="content"):
                for image in group[:MOST_IN_GROUP]:
                    with st.container(width=_WIDTH + 24, gap="xxsmall"):
                        _picture(data, image)
                if len(group) > MOST_IN_GROUP:
                    st.caption(f"and {len(group) - MOST_IN_GROUP} more", width="content")


def _picture(data: Dataset, image: int, suggested: int | None = None) -> None:
    record = data.images[image]
    label = plain_label(data.classes[record.label], 40)
    st.image(thumbnail(data, image), width=_WIDTH, alt=f"{label}: {record.name[-60:]}")
    words = safe_label(data.classes[record.label], 24)
    if record.part:
        words += f", {record.part}"
    if suggested is not None and suggested != record.label:
        words += f" → {safe_label(data.classes[suggested], 24)}?"
    st.caption(words)
