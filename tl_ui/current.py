"""What the session's choice stands for: the data set, probe, model and weights behind its ids."""

import contextlib

import streamlit as st

from tl_core import catalog, datasets, ingest, lineage, owners, weights
from tl_core.catalog import Model
from tl_core.config import DRAWN
from tl_core.datasets import Dataset
from tl_core.datasets.records import RECORD
from tl_core.home import home
from tl_core.ingest import source_probe
from tl_core.limits import BadInput
from tl_core.source_images import selected
from tl_core.store import View
from tl_core.weights import WeightsFile
from tl_ui import identity
from tl_ui.state import choice, choose
from tl_ui.stored import whole_store as whole_store


def store() -> View:
    """Return the store as the person at work sees it."""
    return whole_store().seen_by(
        owners.current(), shares=identity.in_room(), everyones=identity.is_teacher()
    )


def dataset() -> Dataset:
    """Return the chosen data set, else the default sample set (built on first use)."""
    chosen = choice().dataset
    if chosen is not None:
        found = load(chosen)
        if found is not None:
            return found
        choose(dataset=None)
    return sample(next(iter(ingest.SAMPLES)))


def brought_probe() -> Dataset | None:
    """Return the source images that the user brought and chose, if any."""
    chosen = choice().probe
    if chosen is None or chosen == DRAWN:
        return None
    found = load(chosen)
    if found is None:
        choose(probe=DRAWN)
    return found


def draws_probe() -> bool:
    """Return whether forgetting is measured on images that the app draws itself."""
    return choice().probe == DRAWN and model().weights.drawn


def probe() -> Dataset | None:
    """Return the source images in use, if any; drawn ones only once they have been drawn."""
    return source_probe.known(model()) if draws_probe() else brought_probe()


def source_images() -> int | None:
    """Return how many labelled images of the model's source task are in use, None without any."""
    if draws_probe():
        return source_probe.COUNT
    brought = brought_probe()
    return None if brought is None else _matched(brought.fingerprint, model().name, brought)


@st.cache_data(show_spinner=False, max_entries=32)
def _matched(fingerprint: str, backbone: str, _brought: Dataset) -> int:
    return len(selected(_brought, catalog.find(backbone)).places)


def model() -> Model:
    """Return the chosen row of the catalog."""
    return catalog.catalog()[choice().backbone]


def weights_file() -> WeightsFile | None:
    """Return the chosen weights of the chosen model, else the first that are here, else None."""
    files = weights.available(choice().backbone)
    return next(
        (file for file in files if file.sha256 == choice().weights), next(iter(files), None)
    )


def sample(name: str) -> Dataset:
    """Return a sample set; the first time it is made, which takes a moment."""
    found = load(_sample(str(home()), name))
    if found is None:  # deleted meanwhile
        _sample.clear()
        found = load(_sample(str(home()), name))
    assert found is not None
    return found


def known_sample(name: str) -> Dataset | None:
    """Return a sample set if it has been made; never makes it."""
    found = _known_sample(name, dataset_folders())
    return load(found) if found else None


@st.cache_data(show_spinner=False, max_entries=64)
def _known_sample(name: str, whose: tuple[str, ...]) -> str | None:
    found = ingest.known_sample(name)
    return found.fingerprint if found else None


@st.cache_data(show_spinner="Preparing the sample images", max_entries=64)
def _sample(data: str, name: str) -> str:
    return ingest.sample(name).fingerprint


def load(fingerprint: str) -> Dataset | None:
    """Return a data set, None if it is no longer there."""
    for root in owners.folders("datasets"):
        path = root / fingerprint[:24] / RECORD
        with contextlib.suppress(BadInput, OSError):
            return _load(owners.current(), fingerprint, str(path), path.stat().st_mtime_ns)
    return None


def superseded() -> frozenset[str]:
    """Return the fingerprints of data sets that were changed later: newer ones come from them."""
    return _superseded(dataset_folders())


def version(then: Dataset) -> Dataset:
    """Return the version of a data set that is in use, else the newest that edits made of it."""
    chosen = choice().dataset
    kept = _version(then.fingerprint, chosen, dataset_folders(), then)
    return load(kept) or then


@st.cache_data(show_spinner=False, max_entries=256)
def _version(fingerprint: str, chosen: str | None, whose: tuple[str, ...], _then: Dataset) -> str:
    used = load(chosen) if chosen else None
    if used is not None and lineage.descends(used, _then):
        return used.fingerprint
    return lineage.newest(_then).fingerprint


def dataset_folders() -> tuple[str, ...]:
    """Return whose data sets' folders there are: what is read of them may be kept under that."""
    roots = owners.folders("datasets")
    return owners.current(), *sorted(str(path) for root in roots for path in root.iterdir())


@st.cache_data(show_spinner=False, max_entries=64)
def _superseded(whose: tuple[str, ...]) -> frozenset[str]:
    return frozenset(data.edited_from for data in datasets.all_datasets() if data.edited_from)


@st.cache_resource(show_spinner=False, max_entries=64)
def _load(owner: str, fingerprint: str, path: str, changed: int) -> Dataset:
    # Part of the key: each person has names of their own, a renamed data set is read again.
    return datasets.load(fingerprint)
