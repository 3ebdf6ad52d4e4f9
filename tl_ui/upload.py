"""Bringing one's own images: a folder, a zip, loose files or the camera, class by class."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from tl_core import catalog
from tl_core.datasets import Dataset, Kind
from tl_core.intake import asking
from tl_core.intake.messages import Images, Request, Spooled, Zip
from tl_core.intake.process import Intake
from tl_core.limits import MAX_ENTRIES, MAX_IMAGE_BYTES, MAX_ZIP_BYTES, MB, BadInput
from tl_ui import camera, current, handing_in, waiting_list
from tl_ui.widgets import plain_label, problem, safe_label

MODES = {
    "folder": "A folder",
    "zip": "A zip",
    "classes": "Loose files",
    "camera": "Take pictures",
}

_LIMITS = (
    f"Images of up to {MAX_IMAGE_BYTES // MB} MB; what cannot be used is listed with its reason."
)
# More than an image may have: what is too large, or no image, is to arrive and be listed with its
# reason. What the browser skips is forgotten with the emptied uploader.
_MOST_MB = 4 * MAX_IMAGE_BYTES // MB


def section(kind: Kind, taken: Callable[[Dataset], None]) -> None:
    """Show the uploaders; `taken` gets each new data set, after which the page runs again."""
    modes = list(MODES) if kind == "target" else ["folder", "zip"]
    mode = st.segmented_control(
        "How do you bring them?",
        modes,
        default=modes[0],
        required=True,
        format_func=MODES.__getitem__,
        key=f"{kind}_mode",
        persist_state="session",
    )
    intake = handing_in.followed(_slot(kind))
    if intake is not None:
        _finish(kind, taken, intake)
    ways = {"folder": _folder, "zip": _zip, "classes": _classes, "camera": _camera}
    ways[mode](kind)
    fault = st.session_state.get(f"{kind}_fault")
    if fault:
        problem(*fault)


def _slot(kind: Kind) -> str:
    return f"{kind}_intake"


def _uploader(kind: Kind, mode: str, label: str, **options: Any) -> Any:
    """Show an uploader that `_empty` can empty: uploads lie in this process's memory until then."""
    return st.file_uploader(label, key=f"{kind}_{mode}_{_revision(kind)}", **options)


def _revision(kind: Kind) -> int:
    return int(st.session_state.setdefault(f"{kind}_revision", 0))


def _empty(kind: Kind) -> None:
    st.session_state[f"{kind}_revision"] = _revision(kind) + 1


def _folder(kind: Kind) -> None:
    files = _uploader(
        kind,
        "folder",
        "Choose the folder of your images"
        if kind == "unlabelled"
        else "Choose the folder that holds one folder for each class",
        accept_multiple_files="directory",
        max_upload_size=_MOST_MB,
    )
    st.caption(f"{_folder_words(kind)} {_LIMITS}")
    if files:
        name = _top_folder([file.name for file in files])
        _hand_in(kind, files, lambda spooled: Images(name, kind, spooled))


def _folder_words(kind: Kind) -> str:
    """Return how the files of a folder get their classes."""
    if kind == "unlabelled":
        return "All images in it are taken, whatever their folders are called."
    if kind == "probe":
        return _source_words()
    return (
        "`my images/cat/1.jpg`, `my images/dog/2.jpg` … : each folder's name becomes a class. "
        "`train` with `val` or `test` around the class folders keeps your split. A CSV with the "
        "columns `file` and `label` works likewise; a column `group` (the same object, patient, "
        "burst) keeps images together: no group is ever divided between training and testing."
    )


def _source_words() -> str:
    """Return how folders and tables name classes of the chosen model's source task."""
    first = catalog.source_classes(current.model().weights.source_classes)[0]
    name, number = first.names[0], first.synset or str(first.index)
    kind = "a synset" if first.synset else "an index"
    columns = (
        "`class_index`, `synset`, `class_name`" if first.synset else "`class_index`, `class_name`"
    )
    return (
        f"Folders named like source classes (`{name}/1.jpg`, or {kind} such as `{number}`), or "
        f"images with a `labels.csv`: `file`, and one of {columns}."
    )


def _zip(kind: Kind) -> None:
    file = _uploader(
        kind,
        "zip",
        "Choose a zip of such a folder",
        type=["zip"],
        max_upload_size=MAX_ZIP_BYTES // MB,
    )
    st.caption(f"At most {MAX_ZIP_BYTES // MB} MB and {MAX_ENTRIES:,} files.")
    if file is not None:
        name = plain_label(Path(file.name).stem)
        _hand_in(kind, [file], lambda spooled: Zip(name, kind, spooled[0]))


def _top_folder(names: list[str]) -> str:
    """Return the folder that all files share, as the data set's first name."""
    first = {name.split("/")[0] for name in names if "/" in name}
    return plain_label(first.pop()) if len(first) == 1 else "My images"


def _hand_in(
    kind: Kind, files: Sequence[Any], wanted: Callable[[tuple[Spooled, ...]], Request]
) -> None:
    """Let an upload be read; its uploader is emptied whatever comes of it."""
    st.session_state.pop(f"{kind}_fault", None)
    try:
        handing_in.begin(_slot(kind), files, wanted)
    except BadInput as error:
        st.session_state[f"{kind}_fault"] = (str(error), error.details)
    _empty(kind)
    st.rerun()


def _finish(kind: Kind, taken: Callable[[Dataset], None], intake: Intake) -> None:
    """Use the data set that was read, or keep the reason why there is none."""
    try:
        taken(asking.data_set(intake))
    except BadInput as error:
        st.session_state[f"{kind}_fault"] = (str(error), error.details)
    st.rerun()


def _classes(kind: Kind) -> None:
    """Collect classes one after the other; their files wait on disk, not in memory."""
    name = st.text_input(
        "Name of a class",
        key=f"class_name_{_revision(kind)}",
        max_chars=120,
        placeholder="cat",
        icon=":material/label:",
    ).strip()
    files = _uploader(
        kind,
        "classes",
        "Its images",
        accept_multiple_files=True,
        max_upload_size=_MOST_MB,
        disabled=not name,
    )
    if not name:
        st.caption(":material/info: Type the name of the class first, then drop its images.")
    else:
        st.caption(f"Drop files, or a folder: all in it count as {safe_label(name)}. {_LIMITS}")
    if files and name:
        waiting_list.take_files(name, files)
        _empty(kind)
        st.rerun()
    waiting_list.say_fault()
    waiting_list.section(lambda wanted: _hand_in(kind, [], lambda _: wanted))


def _camera(kind: Kind) -> None:
    """Collect bursts of the camera, class by class; they wait beside loose files."""

    # The rest of the page need not be drawn anew for every burst.
    @st.fragment
    def collect() -> None:
        camera.section()
        waiting_list.section(lambda wanted: _hand_in(kind, [], lambda _: wanted))

    collect()
