"""Images without labels: how often does each class occur among them?"""

import streamlit as st

from tl_core.answers import Shift
from tl_core.datasets import Dataset
from tl_core.wording import number_of, percent, spread
from tl_ui import asking, current, launch, upload
from tl_ui.state import choice
from tl_ui.widgets import flash, plain_label, safe_label

_KEY = "unlabelled"


def section() -> None:
    """Show the uploader for unlabelled images and what is estimated of those in use."""
    st.caption(
        "Where the model will be used, classes may be more or less frequent than in your labelled "
        "images. A folder or zip of unlabelled images from there is enough to estimate how often "
        "each class occurs (black box shift estimation, Lipton et al. 2018) and which accuracy to "
        "expect. It holds where classes look the same in both and only their frequency differs."
    )
    brought = _brought()
    if brought is None:
        upload.section("unlabelled", _taken)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        count = number_of(len(brought.images), "unlabelled image")
        st.markdown(f"**{safe_label(brought.name)}**: {count}", width="content")
        st.button("Bring others", on_click=lambda: st.session_state.pop(_KEY, None))
    found = asking.answer(
        "shift",
        launch.prepared(choice()).config,
        {"unlabelled": brought.fingerprint},
        label="Estimate their classes",
        help="The linear probe looks at them; its confusions on the test part are taken out.",
        primary=True,
    )
    if isinstance(found, Shift):
        _show(found)


def _brought() -> Dataset | None:
    fingerprint = st.session_state.get(_KEY)
    return current.load(fingerprint) if fingerprint else None


def _taken(data: Dataset) -> None:
    st.session_state[_KEY] = data.fingerprint
    flash(f"{number_of(len(data.images), 'unlabelled image')} taken in.")


def _show(found: Shift) -> None:
    if found.refused:
        st.warning(safe_label(found.refused, 400), icon=":material/block:")
        return
    st.dataframe(
        {
            "Class": [plain_label(name) for name in found.classes],
            "In training": [percent(share) for share in found.known],
            "Estimated": [percent(share.value) for share in found.estimated],
            "95% interval": [
                spread(100 * share.low, 100 * share.high) for share in found.estimated
            ],
        },
        hide_index=True,
        height=min(38 + 35 * len(found.classes), 400),
        alt="Share of each class in training and as estimated in the unlabelled images",
    )
    lines = [f"Total variation from the training images: {found.total_variation:.2f} (0 to 1)."]
    if found.accuracy is not None:
        ends = spread(100 * found.accuracy.low, 100 * found.accuracy.high)
        lines.append(
            f"Accuracy of the linear probe to expect there: "
            f"**{percent(found.accuracy.value)}** ({ends})."
        )
    st.markdown(" ".join(lines))
