"""Uploads made wrong by chance: a data set or a sentence, and nothing anywhere else."""

import io
from collections import Counter
from pathlib import Path
from random import Random

from tests import mangled
from tl_core import datasets, ingest, weights
from tl_core.catalog import catalog
from tl_core.ingest import tabular
from tl_core.ingest.sources import clean_name, safe_name
from tl_core.layouts import BadWeights
from tl_core.limits import MAX_NAME, BadInput, Unreadable

MODEL = "squeezenet1_1"


def take(kind: str, files: dict[str, bytes]) -> None:
    """Take an upload in, in this process: the same code as in the one that is made for it."""
    (name, content), *_ = files.items()
    match kind:
        case "zip":
            ingest.ingest_zip(io.BytesIO(content), name=name)
        case "images":
            streams = [(name, io.BytesIO(content)) for name, content in files.items()]
            ingest.ingest_files(streams, name="pets")
        case "table":
            tabular.read(content)
        case "weights":
            weights.add(catalog()[MODEL], io.BytesIO(content), name=name)


def test_mangled_uploads_are_taken_or_refused_in_words_and_touch_nothing_else(home, tmp_path):
    kept = ingest.ingest_files(
        [(name, io.BytesIO(content)) for name, content in mangled.sound(12).items()], name="kept"
    )
    before = set(tmp_path.iterdir())
    outcomes: Counter[str] = Counter()
    for kind, files in mangled.uploads(seed=8, count=120):
        try:
            take(kind, files)
            outcomes[f"{kind} taken"] += 1
        except (BadInput, BadWeights) as error:
            outcomes[f"{kind} refused"] += 1
            said = "\n".join([str(error), *error.details])
            assert str(tmp_path) not in said and "Traceback" not in said
            assert str(error).endswith(".") and len(str(error)) < 2000
    assert len(outcomes) >= 6, outcomes
    assert set(tmp_path.iterdir()) == before
    assert {path.name for path in home.iterdir()} <= {"datasets", "weights"}
    again = datasets.load(kept.fingerprint)
    assert again == kept and datasets.pixels(kept, 0).shape == (16, 24, 3)
    for data in datasets.all_datasets():
        assert all(Path(image.file).parent == Path("images") for image in data.images)
        assert all(len(name) <= MAX_NAME and name.isprintable() for name in data.classes)
    assert not [path for path in home.rglob("*") if path.is_symlink() or ".unfinished" in path.name]


def test_no_name_points_outside_and_every_name_can_be_kept():
    random = Random(9)
    for _ in range(3000):
        name = mangled.name(random)
        shown = clean_name(name)
        shown.encode()
        assert len(shown) <= MAX_NAME and not any(ord(c) < 32 for c in shown)
        try:
            safe = safe_name(name)
        except Unreadable:
            continue
        assert not safe.startswith("/") and ".." not in safe.split("/") and "\\" not in safe
        # No name is used as a path; this one could not leave its folder either.
        if safe.isprintable():
            assert Path("/a/b", safe).resolve().is_relative_to("/a/b")
