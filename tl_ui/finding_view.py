"""One finding of the data check: its images, and dropping, relabelling or grouping them."""

from collections.abc import Callable, Sequence

import streamlit as st

from tl_core.datasets import Dataset
from tl_core.findings import Finding
from tl_core.ingest import BadInput, edits
from tl_core.wording import number_of
from tl_ui.state import choice, choose
from tl_ui.widgets import flash, plain_label, problem, safe_label, thumbnail

PER_PAGE = 24
MOST_IN_GROUP = 6
_WIDTH = 96
_ICONS = {"serious": ":material/error:", "worth a look": ":material/visibility:"}
_FAULT = "edit_fault"


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
        fault = st.session_state.get(_FAULT)
        if fault is not None and fault[0] == finding.kind:
            problem(fault[1])


def _page(finding: Finding, things: int, per_page: int) -> range:
    """Let the user turn pages; return the places of what is on the current one."""
    pages = -(-things // per_page)
    page = st.pagination(pages, key=f"page_{finding.kind}") if pages > 1 else 1
    return range((page - 1) * per_page, min(page * per_page, things))


def _images(data: Dataset, finding: Finding) -> None:
    suggested = dict(zip(finding.images, finding.suggested, strict=False))
    ticked = []
    with st.container(horizontal=True, gap="small"):
        for place in _page(finding, len(finding.images), PER_PAGE):
            image = finding.images[place]
            with st.container(width=_WIDTH + 24, gap="xxsmall"):
                _picture(data, image, suggested.get(image))
                if st.checkbox("Tick", key=_tick(data, finding, image)):
                    ticked.append(image)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _button(
            data,
            finding,
            f"Drop the {len(ticked)} ticked" if ticked else "Drop the ticked",
            lambda: edits.drop(data, ticked),
            f"{number_of(len(ticked), 'image')} dropped.",
            disabled=not ticked,
        )
        if suggested:
            _button(
                data,
                finding,
                "Relabel the ticked as suggested",
                lambda: edits.relabel(data, {image: suggested[image] for image in ticked}),
                f"{number_of(len(ticked), 'image')} relabelled.",
                disabled=not ticked,
            )
        _relabel(data, finding, ticked)
    if not ticked:
        st.caption("Tick images to drop or relabel them. Everything can be undone.")


def _relabel(data: Dataset, finding: Finding, ticked: Sequence[int]) -> None:
    """Offer any class for the ticked images."""
    key = f"class_{finding.kind}_{data.fingerprint[:8]}"
    wanted = st.selectbox(
        "Other class",
        range(len(data.classes)),
        format_func=lambda label: plain_label(data.classes[label], 60),
        key=key,
        width=180,
    )
    _button(
        data,
        finding,
        "Relabel",
        lambda: edits.relabel(data, dict.fromkeys(ticked, wanted)),
        f"{number_of(len(ticked), 'image')} relabelled as {safe_label(data.classes[wanted])}.",
        disabled=not ticked,
    )


def _groups(data: Dataset, finding: Finding) -> None:
    copies = [image for group in finding.groups for image in group[1:]]
    with st.container(horizontal=True):
        _button(
            data,
            finding,
            "Never divide them between training and test",
            lambda: edits.keep_together(data, finding.groups),
            f"{number_of(len(finding.groups), 'group')} stay together in every split.",
        )
        _button(
            data,
            finding,
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


def _tick(data: Dataset, finding: Finding, image: int) -> str:
    return f"tick_{data.fingerprint[:8]}_{finding.kind}_{image}"


def _button(
    data: Dataset,
    finding: Finding,
    label: str,
    edit: Callable[[], Dataset],
    done: str,
    disabled: bool = False,
) -> None:
    st.button(
        label,
        key=f"edit_{finding.kind}_{label[:12]}",
        disabled=disabled,
        on_click=_apply,
        args=(data, finding, edit, done),
    )


def _apply(data: Dataset, finding: Finding, edit: Callable[[], Dataset], done: str) -> None:
    """Make the edited data set and use it; the one before is still there to go back to."""
    st.session_state.pop(_FAULT, None)
    try:
        changed = edit()
    except BadInput as error:
        st.session_state[_FAULT] = (finding.kind, str(error))
        return
    before = choice().dataset
    choose(dataset=changed.fingerprint)
    flash(
        f"{done} Comparisons made before are marked as such; check the data again to see what is "
        "left.",
        undo=lambda: choose(dataset=before or data.fingerprint) and None,
    )
