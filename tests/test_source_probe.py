"""Source images that are drawn here: made once, found again, apart from what training saw."""

import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tl_core import catalog, class_map, datasets
from tl_core.config import DRAWN, NotPossible
from tl_core.ingest import source_probe
from tl_core.procedural import CLASSES, SIDE, VERSION
from tl_core.weights import FIRST_MODEL

ROW = catalog.find(FIRST_MODEL)


@pytest.fixture
def few(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Draw one image of each class instead of a thousand."""
    monkeypatch.setattr(source_probe, "COUNT", len(CLASSES))
    return home


def test_drawn_images_are_labelled_in_words_that_the_model_knows(few: Path) -> None:
    probe = source_probe.drawn(ROW)
    assert (probe.kind, probe.name, probe.refused) == ("probe", source_probe.NAME, ())
    counts = Counter(probe.classes[image.label] for image in probe.images)
    assert counts == dict.fromkeys(CLASSES, 1)
    assert {(image.width, image.height) for image in probe.images} == {(SIDE, SIDE)}
    matched = class_map.match_source(probe.classes, catalog.source_classes("procedural"))
    assert all(CLASSES[index] == name for name, index in matched.items())


def test_the_stored_pixels_are_the_drawn_ones(few: Path) -> None:
    from tl_core.procedural.drawing import draw

    probe = source_probe.drawn(ROW)
    made = draw(source_probe.COUNT, source_probe.SEED)
    wanted = {
        CLASSES[label]: pixels
        for pixels, label in zip(made.images.permute(0, 2, 3, 1), made.labels.tolist(), strict=True)
    }
    for index, image in enumerate(probe.images[:20]):
        stored = datasets.pixels(probe, index)
        assert np.array_equal(stored, wanted[probe.classes[image.label]].numpy())


def test_they_are_drawn_once_and_found_again(few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert source_probe.known(ROW) is None
    first = source_probe.drawn(ROW)
    assert source_probe.is_drawn(first)
    monkeypatch.setattr(source_probe, "_items", None)
    assert source_probe.known(ROW) == source_probe.drawn(ROW) == first


def test_who_needs_them_at_the_same_time_waits_for_the_first(
    few: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawings, items = [], source_probe._items

    def counted(seed: int):
        drawings.append(threading.get_ident())
        return items(seed)

    monkeypatch.setattr(source_probe, "_items", counted)
    threads = [threading.Thread(target=source_probe.drawn, args=(ROW,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(drawings) == 1
    assert len(datasets.all_datasets("probe")) == 1


def test_their_name_says_all_that_decides_them(monkeypatch: pytest.MonkeyPatch) -> None:
    before = source_probe.probe_of(ROW)
    assert before is not None and before.startswith(f"{DRAWN}procedural:{VERSION}:")
    for name in ("COUNT", "SEED", "FORMAT", "VERSION"):
        with monkeypatch.context() as patch:
            patch.setattr(source_probe, name, 77)
            assert source_probe.probe_of(ROW) != before


def test_training_draws_with_other_seeds() -> None:
    from pretraining import bundled

    # Each training counts up, one a step, from its own seed times ten million.
    assert source_probe.SEED % 10_000_000 > bundled.STEPS
    assert source_probe.LEARNING_SEED % 10_000_000 > bundled.STEPS
    seeds = {bundled.HELD_OUT_SEED, source_probe.SEED, source_probe.LEARNING_SEED}
    assert len(seeds) == 3


def test_photographs_cannot_be_drawn(home: Path) -> None:
    row = catalog.find("resnet18")
    assert source_probe.probe_of(row) is source_probe.known(row) is None
    with pytest.raises(NotPossible, match="Bring labelled images of its source classes"):
        source_probe.drawn(row)


def test_looking_for_them_needs_no_torch(home: Path) -> None:
    code = (
        "import sys; from tl_core import catalog; from tl_core.ingest import source_probe; "
        f"source_probe.known(catalog.find('{FIRST_MODEL}')); sys.exit('torch' in sys.modules)"
    )
    root = Path(__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_images_to_learn_from_are_others_than_those_that_measure(few: Path) -> None:
    probe = source_probe.drawn(ROW)
    apart = source_probe.drawn_apart(probe, ROW)
    assert apart.name == source_probe.LEARNING_NAME
    assert source_probe.is_drawn(apart)
    assert len(apart.images) == len(probe.images)
    assert not {i.pixels for i in apart.images} & {i.pixels for i in probe.images}
    # Chosen as a probe itself, it does not learn from what it measures on.
    assert source_probe.drawn_apart(apart, ROW) == probe
    assert source_probe.known(ROW) == probe
