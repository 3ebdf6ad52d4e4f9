import io
from collections.abc import Mapping

import numpy as np
import pytest
from PIL import Image, ImageFilter

from benchmarks.planting import CHANGES, changed, last
from tests.pictures import encoded, scene, zipped
from tl_core import datasets, ingest
from tl_core.image_facts import ATTRIBUTES, Facts, measured, open_facts
from tl_core.image_facts.measuring import perceptual_hash


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (60, 40)) -> Image.Image:
    return Image.new("RGB", size, colour)


def facts_of(picture: Image.Image) -> dict[str, object]:
    return measured(np.asarray(picture.convert("RGB")))


def bits(first: np.uint64, second: np.uint64) -> int:
    return int(first ^ second).bit_count()


def dataset_of(pictures: Mapping[str, Image.Image]) -> datasets.Dataset:
    files = {name: encoded(picture) for name, picture in pictures.items()}
    return ingest.ingest_zip(zipped(files), name="pictures")


def two_classes(count: int = 5) -> dict[str, Image.Image]:
    return {
        f"{name}/{number}.png": scene(100 * label + number)
        for label, name in enumerate(("a", "b"))
        for number in range(count)
    }


def test_light_and_colour_of_a_picture_in_halves():
    picture = plain((200, 100, 0), (64, 64))
    picture.paste((100, 100, 50), (32, 0, 64, 64))
    found = facts_of(picture)
    # 0.299 R + 0.587 G + 0.114 B is 118.5 and 94.3: halfway between, and half the way apart.
    assert found["brightness"] == pytest.approx(106.4, abs=0.5)
    assert found["contrast"] == pytest.approx(12.1, abs=0.5)
    np.testing.assert_allclose(found["channel_means"], (150, 100, 25), atol=0.5)
    np.testing.assert_allclose(found["channel_stds"], (50, 0, 25), atol=1)
    # Hasler and Suesstrunk: red - green is 100 and 0, (red + green) / 2 - blue is 150 and 50.
    expected = np.hypot(50, 50) + 0.3 * np.hypot(50, 100)
    assert found["colourfulness"] == pytest.approx(expected, rel=0.02)
    assert found["constant_channel"]
    assert not found["greyscale"]


def test_grey_pictures_are_known_also_after_jpeg():
    grey = scene(3).convert("L").convert("RGB")
    again = Image.open(io.BytesIO(encoded(grey, "JPEG", quality=70)))
    assert facts_of(grey)["greyscale"]
    assert facts_of(again)["greyscale"]
    assert not facts_of(scene(3))["greyscale"]
    assert not facts_of(scene(3))["constant_channel"]


def test_a_blur_takes_sharpness():
    sharp = [facts_of(scene(1).filter(ImageFilter.GaussianBlur(b)))["sharpness"] for b in (0, 1, 3)]
    assert sharp[0] > 2 * sharp[1] > 4 * sharp[2]


def test_the_background_is_the_border():
    picture = plain((10, 20, 30), (100, 100))
    picture.paste((250, 250, 250), (30, 30, 60, 50))
    found = facts_of(picture)
    np.testing.assert_array_equal(found["background"], (10, 20, 30))
    assert found["background_share"] == pytest.approx(1 - 0.06, abs=0.01)


@pytest.mark.parametrize("change", CHANGES)
def test_hashes_stay_close_through_changes(change):
    rng, distances = np.random.default_rng(7), []
    for seed in range(10):
        copy = Image.open(io.BytesIO(changed(scene(seed), change, rng)))
        first, second = facts_of(scene(seed)), facts_of(copy)
        of = "mirrored_hashes" if change == "mirrored" else "hashes"
        distances.append(bits(first[of], second["hashes"]))
    assert max(distances) <= (22 if change == "cropped" else 6)


def test_hashes_of_different_pictures_differ():
    hashes = [facts_of(scene(seed))["hashes"] for seed in range(12)]
    apart = [bits(a, b) for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(apart) > 12
    assert 26 < np.mean(apart) < 38


def test_half_the_bits_are_set():
    grey = np.asarray(scene(5).convert("L").resize((64, 64)), dtype=np.float32)
    assert int(perceptual_hash(grey)).bit_count() == 32
    assert perceptual_hash(grey) == perceptual_hash(grey * 0.5 + 20)


def test_facts_are_in_the_data_sets_order(home):
    pictures = two_classes()
    pictures["a/dark.png"] = plain((3, 3, 3), (80, 20))
    pictures["b/copy.png"] = pictures["a/2.png"]
    dataset = dataset_of(pictures)
    facts = last(open_facts(dataset))
    names = [image.name for image in dataset.images]
    assert len(facts) == len(names) == 12
    for index, name in enumerate(names):
        alone = facts_of(pictures[name])
        assert facts.brightness[index] == alone["brightness"]
        assert facts.hashes[index] == alone["hashes"]
        assert (facts.width[index], facts.height[index]) == pictures[name].size
    assert [names[i] for i in np.flatnonzero(facts.blank)] == ["a/dark.png"]
    assert facts.aspect[names.index("a/dark.png")] == 4
    assert facts.shorter_side.min() == 20
    assert names[facts.first[names.index("b/copy.png")]] == "a/2.png"
    assert (facts.first == np.arange(12)).sum() == 11


def test_facts_are_measured_once(home):
    dataset = dataset_of(two_classes())
    steps = list(open_facts(dataset))
    assert steps[-1].fraction == 1
    assert "pictures" in steps[-1].message
    (dataset.folder / dataset.images[0].file).unlink()
    assert list(open_facts(dataset)) == []
    other = dataset_of(two_classes(6))
    assert list(open_facts(other))


def test_a_missing_image_is_told(home):
    dataset = dataset_of(two_classes())
    (dataset.folder / dataset.images[3].file).unlink()
    with pytest.raises(ingest.BadInput, match="Bring the images again"):
        last(open_facts(dataset))
    assert list((home / "cache" / "facts").iterdir()) == []


# --- Attributes ---------------------------------------------------------------------------------


@pytest.fixture
def facts(home) -> Facts:
    pictures = two_classes(9)
    pictures |= {"a/wide.png": scene(50, (150, 60)), "a/tall.png": scene(51, (60, 150))}
    pictures |= {"b/red.png": plain((200, 0, 0)), "b/black.png": plain((0, 0, 0))}
    return last(open_facts(dataset_of(pictures)))


def test_every_attribute_divides_all_images(facts):
    for attribute in ATTRIBUTES.values():
        found = attribute.divide(facts)
        assert len(found.of) == len(found.labels) == len(facts)
        assert set(found.of.tolist()) == set(range(len(found.names)))
        assert len(set(found.names)) == len(found.names)
        assert attribute.title


def test_terciles_are_ordered_and_name_their_cuts(facts):
    found = ATTRIBUTES["brightness"].divide(facts)
    assert [name.split()[0] for name in found.names] == ["dark", "medium", "bright"]
    sizes = np.bincount(found.of)
    assert sizes.max() - sizes.min() <= 3
    dark, bright = facts.brightness[found.of == 0], facts.brightness[found.of == 2]
    cut = float(found.names[0].removeprefix("dark (under ").removesuffix(")"))
    assert dark.max() < cut <= facts.brightness[found.of == 1].min()
    assert facts.brightness[found.of == 1].max() < bright.min()


def test_what_is_the_same_everywhere_is_one_category(home):
    facts = last(open_facts(dataset_of(two_classes())))
    assert ATTRIBUTES["size"].divide(facts).names == ("all 96 px",)


def test_shape_and_background(facts):
    shapes = ATTRIBUTES["aspect"].divide(facts)
    assert shapes.names == ("portrait", "landscape")
    assert np.bincount(shapes.of).tolist() == [1, len(facts) - 1]
    colours = ATTRIBUTES["background_colour"].divide(facts).labels
    red = int(np.argmax(facts.channel_means @ (1, -1, -1)))
    assert colours[red] == "red"
    assert colours[int(np.argmin(facts.brightness))] == "black"
