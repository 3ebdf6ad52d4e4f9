"""The drawn source task: the same images for the same seed everywhere, every class its own."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tl_core.procedural import CLASSES, SIDE
from tl_core.procedural.drawing import PART, draw
from tl_core.procedural.glyphs import GLYPHS, glyph
from tl_core.procedural.outline import GRID, arc, fill, hole, line, signed_distance
from tl_core.procedural.shapes import SHAPES
from tl_core.procedural.textures import FIELD, SURFACES

COUNT = PART + 40


def digest(images: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(images).tobytes()).hexdigest()


def drawn_elsewhere(out: Path, seed: int, threads: int) -> tuple[str, np.ndarray]:
    code = (
        "import numpy, sys\n"
        "from tl_core.procedural.drawing import draw\n"
        "drawn = draw(int(sys.argv[2]), int(sys.argv[3]))\n"
        "images = drawn.images.permute(0, 2, 3, 1).numpy()\n"
        "numpy.savez(sys.argv[1], images=images, labels=drawn.labels.numpy())\n"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(out), str(COUNT), str(seed)],
        check=True,
        env={"OMP_NUM_THREADS": str(threads), "PATH": ""},
    )
    with np.load(out) as file:
        return digest(file["images"]), file["labels"]


def test_a_seed_gives_the_same_bytes_in_every_process_whatever_its_threads(tmp_path: Path) -> None:
    first, labels = drawn_elsewhere(tmp_path / "a.npz", 5, threads=1)
    second, same_labels = drawn_elsewhere(tmp_path / "b.npz", 5, threads=2)
    here = draw(COUNT, 5)
    assert first == second == digest(here.images.permute(0, 2, 3, 1).numpy())
    assert np.array_equal(labels, same_labels)
    assert np.array_equal(labels, here.labels.numpy())


def test_another_seed_gives_other_images() -> None:
    one, other = draw(40, 1), draw(40, 2)
    assert not torch.equal(one.images, other.images)


def test_the_global_random_state_is_left_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    draw(8, 0)
    assert torch.equal(torch.rand(4), expected)


def test_images_are_balanced_and_of_the_promised_form() -> None:
    drawn = draw(2 * len(CLASSES), 0)
    assert drawn.images.shape == (2 * len(CLASSES), 3, SIDE, SIDE)
    assert drawn.images.dtype == torch.uint8
    assert torch.bincount(drawn.labels).tolist() == [2] * len(CLASSES)
    assert drawn.surface.max() < len(SURFACES)
    assert drawn.ground.max() < len(SURFACES)


def test_a_picture_of_a_surface_has_it_as_object_and_background() -> None:
    drawn = draw(len(CLASSES), 4)
    pictured = drawn.labels >= len(SHAPES) + len(GLYPHS)
    kinds = drawn.labels[pictured] - len(SHAPES) - len(GLYPHS)
    assert torch.equal(drawn.surface[pictured], kinds)
    assert torch.equal(drawn.ground[pictured], kinds)


def test_no_two_images_are_alike_and_none_is_blank() -> None:
    flat = draw(400, 7).images.flatten(1)
    assert len(torch.unique(flat, dim=0)) == 400
    assert flat.float().std(dim=1).min() > 1


def test_class_names_are_distinct_words() -> None:
    assert len(set(CLASSES)) == len(CLASSES) >= 60
    assert all(name == name.strip() and name for name in CLASSES)


@pytest.mark.parametrize("name", [*SHAPES, *GLYPHS])
def test_every_outline_covers_something_and_stays_within_its_grid(name: str) -> None:
    for number in range(3):
        rng = np.random.default_rng(number)
        outline = SHAPES[name](rng) if name in SHAPES else glyph(name, rng)
        distance = signed_distance(outline)
        assert distance.shape == (GRID, GRID)
        assert 0.02 < (distance < 0).mean() < 0.75
        border = np.concatenate([distance[0], distance[-1], distance[:, 0], distance[:, -1]])
        assert border.min() > 0


@pytest.mark.parametrize("name", list(SURFACES))
def test_every_surface_is_a_field_from_0_to_1_that_varies(name: str) -> None:
    fields = [SURFACES[name](np.random.default_rng(number)) for number in range(3)]
    for field in fields:
        assert field.shape == (FIELD, FIELD)
        assert np.isfinite(field).all()
        assert field.min() > -0.01
        assert field.max() < 1.01
        assert field.std() > 0.05
    assert not np.array_equal(fields[0], fields[1])


def test_the_signed_distance_of_a_circle_is_radius_less_distance() -> None:
    distance = signed_distance([fill(arc(0, 0, 0.9, 0.9))])
    ticks = ((np.arange(GRID) + 0.5) / GRID * 2 - 1) * 1.3
    x, y = np.meshgrid(ticks, ticks)
    assert np.abs(distance - (np.hypot(x, y) - 0.9)).max() < 0.01


def test_a_hole_is_outside_and_a_line_has_its_width() -> None:
    ring = signed_distance([fill(arc(0, 0, 0.9, 0.9)), hole(fill(arc(0, 0, 0.4, 0.4)))])
    assert ring[GRID // 2, GRID // 2] > 0.3
    bar = signed_distance([line([(-0.9, 0), (0.9, 0)], 0.2)])
    assert bar[GRID // 2, GRID // 2] == pytest.approx(-0.2, abs=0.06)
    assert bar[0].min() > 0.9


def test_few_images_are_of_any_classes_and_all_come_before_one_comes_twice() -> None:
    few = torch.cat([draw(16, seed).labels for seed in range(8)])
    assert few.max() > 64 > few.min()
    assert len(set(draw(len(CLASSES), 3).labels.tolist())) == len(CLASSES)
