"""What became of the images that were brought: classes, counts, pictures, what was refused."""

import msgspec
import pandas as pd
import streamlit as st

from tl_core import datasets, ingest, owners
from tl_core.datasets import Dataset, records
from tl_core.ingest import source_probe
from tl_core.wording import number_of
from tl_ui import theme
from tl_ui.widgets import flash, plain_label, safe_label, thumbnails

CLASSES_PER_PAGE = 8


def section(data: Dataset) -> None:
    """Show a data set as it was taken in."""
    counts = [number_of(len(data.images), "image")]
    counts.append(number_of(len(data.classes), "class", "classes"))
    if data.refused:
        counts.append(f"{number_of(len(data.refused), 'file')} refused")
    st.subheader(safe_label(data.name), anchor=False)
    st.caption(" · ".join(counts))
    _refused(data)
    _notes(data)
    pictures, table = st.tabs(["Pictures", "Counts"])
    with pictures:
        _pictures(data)
    with table:
        _counts(data)
    if data.kind == "target":
        _mirror(data)
    _name(data)


def _refused(data: Dataset) -> None:
    if not data.refused:
        return
    with st.expander(f"Refused: {number_of(len(data.refused), 'file')}", icon=":material/block:"):
        st.dataframe(
            pd.DataFrame(
                {
                    "File": [plain_label(file.name, 200) for file in data.refused],
                    "Why": [plain_label(file.reason, 300) for file in data.refused],
                }
            ),
            hide_index=True,
            height=min(38 + 35 * len(data.refused), 320),
            alt="Files that were refused, and why",
        )


def _notes(data: Dataset) -> None:
    for sentence in data.edits:
        st.markdown(f":material/edit: {safe_label(sentence, 200)}")
    for note in data.notes:
        st.markdown(f":material/info: {safe_label(note, 600)}")


def _pictures(data: Dataset) -> None:
    """Show up to twelve pictures of each class, a few classes at a time."""
    by_class: dict[int, list[int]] = {}
    for index, image in enumerate(data.images):
        by_class.setdefault(image.label, []).append(index)
    pages = -(-len(by_class) // CLASSES_PER_PAGE)
    slot = st.container()
    page = 1
    if pages > 1:
        page = st.pagination(pages, key=f"pictures_{data.fingerprint[:8]}")
    with slot:
        start = (page - 1) * CLASSES_PER_PAGE
        for label in sorted(by_class)[start : start + CLASSES_PER_PAGE]:
            images = by_class[label]
            name = safe_label(data.classes[label])
            st.markdown(f"**{name}** &nbsp; {number_of(len(images), 'image')}")
            thumbnails(data, _spread(images, theme.THUMBNAILS_PER_CLASS))


def _spread(images: list[int], most: int) -> list[int]:
    """Return at most `most` of the images, evenly from first to last."""
    if len(images) <= most:
        return images
    return [images[round(i * (len(images) - 1) / (most - 1))] for i in range(most)]


def _counts(data: Dataset) -> None:
    columns = {
        "Class": [plain_label(name) for name in data.classes],
        "Images": _per_class(data, range(len(data.images))),
    }
    split = None
    if data.kind == "target":
        split = _first_split(data.fingerprint, data)
        parts = {"Train": split.train, "Validation": split.validation, "Test": split.test}
        columns |= {title: _per_class(data, part) for title, part in parts.items()}
    frame = pd.DataFrame(columns)
    st.dataframe(
        frame,
        hide_index=True,
        height=min(38 + 35 * len(frame), 400),
        alt="Images of each class, and how many of them train, choose and test",
    )
    if split is not None:
        _explain_split(data, split)


@st.cache_data(max_entries=32, show_spinner=False)
def _first_split(fingerprint: str, _data: Dataset) -> datasets.Split:
    return datasets.split(_data, 0)


def _explain_split(data: Dataset, split: datasets.Split) -> None:
    sizes = f"{len(split.train)} train, {len(split.validation)} validation, {len(split.test)} test"
    if datasets.has_given_split(data):
        st.caption(f"Your own split is kept: {sizes}.")
    else:
        st.caption(
            f"No split was given. First seed: {sizes}; every further seed tests other images."
        )
    if split.left_out:
        st.caption(
            f"{number_of(len(split.left_out), 'image')} left out: copies of test or validation "
            "images, or of one group with them."
        )


def _per_class(data: Dataset, images: "range | tuple[int, ...]") -> list[int]:
    counts = [0] * len(data.classes)
    for index in images:
        counts[data.images[index].label] += 1
    return counts


def mirror_allowed(data: Dataset) -> bool:
    """Return whether mirroring makes sense: some sample sets say that it does not."""
    name = ingest.sample_name(data)
    return name is None or name not in ingest.SAMPLES or ingest.SAMPLES[name].mirror


def is_sample(data: Dataset) -> bool:
    """Return whether a data set is one of the samples, or was drawn here: made, not brought."""
    return ingest.sample_name(data) is not None or source_probe.is_drawn(data)


def _mirror(data: Dataset) -> None:
    key = data.fingerprint[:8]
    of_all = records.is_shared(data) and not owners.owns_all()
    allowed = mirror_allowed(data) and not of_all
    st.session_state[f"mirror_{key}"] = data.mirror
    st.toggle(
        "Mirror pictures at random while training",
        key=f"mirror_{key}",
        disabled=not allowed,
        on_change=lambda: _save(data, mirror=st.session_state[f"mirror_{key}"]),
    )
    st.caption(
        "Everyone here trains on these images: they stay as they are."
        if of_all
        else "Turn it off where left and right matter: text, digits, screws, turn signs."
        if allowed
        else "Not offered here: a mirrored picture would be another class, or none."
    )


def _name(data: Dataset) -> None:
    if is_sample(data):
        return
    key = f"name_{data.fingerprint[:8]}"
    st.session_state[key] = data.name
    st.text_input(
        "Name",
        key=key,
        max_chars=120,
        width=360,
        on_change=lambda: _rename(data, st.session_state[key]),
    )


def _save(data: Dataset, **changes: object) -> None:
    datasets.save(msgspec.structs.replace(data, **changes))


def _rename(data: Dataset, name: str) -> None:
    if not name.strip() or name == data.name:
        return
    _save(data, name=name.strip())
    flash(
        f"Renamed to {safe_label(name)}.",
        undo=lambda: _save(data, name=data.name),
    )
