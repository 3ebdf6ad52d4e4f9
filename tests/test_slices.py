"""Groups of images: the worst first, few images never judged, chance rarely taken for bias."""

from pathlib import Path

import numpy as np
import pytest

from tests.simulated import IMAGES, SEEDS, comparison, hits
from tl_core import image_facts, ingest
from tl_core import slices as room
from tl_core.slices import FEWEST_IMAGES, Attribute, automatic, slices

SHADE = np.where(np.arange(IMAGES) % 3 == 0, "dark", "light")


def attribute(values: np.ndarray, name: str = "shade") -> Attribute:
    return Attribute(name, name.capitalize(), tuple(values.tolist()))


def spoiled(values: np.ndarray, mask: np.ndarray, share: float) -> np.ndarray:
    """Return hits of which a share of the masked images is lost, alike in all seeds."""
    lost = (np.random.default_rng(3).random(len(mask)) < share) & mask
    return np.where(lost, 0.0, values)


def test_the_worst_group_comes_first_with_its_gap():
    right = spoiled(hits(0.95, 1), SHADE == "dark", 0.5)
    found = slices(comparison({"feature_extraction": right}), [attribute(SHADE)], _PROBE)
    assert [one.value for one in found] == ["dark", "light"]
    dark, light = found
    assert dark.behind and not light.behind
    assert dark.images == (SHADE == "dark").sum()
    assert dark.accuracy.value == pytest.approx(right[:, SHADE == "dark"].mean())
    assert dark.gap.value == pytest.approx(light.accuracy.value - dark.accuracy.value)
    # Of two groups the second says the same, reversed.
    assert (light.gap.low, light.gap.high) == pytest.approx((-dark.gap.high, -dark.gap.low))


_PROBE, _FULL = "feature_extraction", "full_fine_tuning"


def test_a_group_of_few_images_is_shown_last_and_never_judged():
    values = np.where(np.arange(IMAGES) < FEWEST_IMAGES - 1, "rare", SHADE)
    right = hits(0.95, 2)
    right[:, : FEWEST_IMAGES - 1] = 0.0
    found = slices(comparison({_PROBE: right}), [attribute(values)], _PROBE)
    assert found[-1].value == "rare" and found[-1].images == FEWEST_IMAGES - 1
    assert found[-1].gap is None and not found[-1].behind
    assert found[-1].accuracy.value == 0.0


def test_a_group_that_leaves_too_few_others_is_not_judged():
    values = np.where(np.arange(IMAGES) < FEWEST_IMAGES - 1, "rare", "usual")
    found = slices(comparison({_PROBE: hits(0.9, 2)}), [attribute(values)], _PROBE)
    assert [one.gap for one in found] == [None, None]


def test_images_without_a_value_belong_to_the_rest():
    values = np.where(np.arange(IMAGES) < 60, "", "known")
    (only,) = slices(comparison({_PROBE: hits(0.9, 2)}), [attribute(values)], _PROBE)
    assert only.images == 60 and only.gap is not None


def test_the_change_is_against_the_source_model_and_paired():
    before = hits(0.95, 3)
    after = spoiled(before, SHADE == "dark", 0.6)
    found = comparison({_PROBE: before, _FULL: after})
    assert room.source_model(found) == _PROBE
    dark = next(one for one in slices(found, [attribute(SHADE)], _FULL) if one.value == "dark")
    lost = (before - after)[:, SHADE == "dark"].mean()
    assert dark.change.value == pytest.approx(lost)
    assert dark.turn == "widened"
    same = slices(found, [attribute(SHADE)], _PROBE)
    assert {one.change for one in same} == {None} == {one.turn for one in same}


def test_a_gap_that_training_closed_has_narrowed():
    after = hits(0.95, 4)
    before = spoiled(after, SHADE == "dark", 0.6)
    found = comparison({"zero_shot": before, _FULL: after, _PROBE: after})
    assert room.source_model(found) == "zero_shot"
    dark = next(one for one in slices(found, [attribute(SHADE)], _FULL) if one.value == "dark")
    assert dark.turn == "narrowed" and dark.change.high < 0
    unchanged = comparison({"zero_shot": after, _FULL: after})
    assert {one.turn for one in slices(unchanged, [attribute(SHADE)], _FULL)} == {
        "no difference found"
    }


def test_attributes_of_other_images_say_nothing():
    short = Attribute("shade", "Shade", ("dark",) * 10)
    assert slices(comparison({_PROBE: hits(0.9, 5)}), [short], _PROBE) == []
    assert slices(comparison({_PROBE: hits(0.9, 5)}), [], _PROBE) == []
    assert slices(comparison({_PROBE: hits(0.9, 5)}), [attribute(SHADE)], "custom") == []


@pytest.mark.parametrize("seeds", [1, SEEDS])
def test_groups_drawn_by_chance_are_rarely_called_behind_or_changed(seeds):
    """A/A: 100 comparisons, three attributes without meaning each, 12 groups altogether."""
    rng, behind, changed = np.random.default_rng(6), 0, 0
    for number in range(100):
        attributes = [
            attribute(rng.choice(list("abcdef")[:count], IMAGES), f"chance {count}")
            for count in (2, 4, 6)
        ]
        before, after = (
            hits(0.85, 100 * number + which, seeds=seeds, images=IMAGES) for which in (0, 1)
        )
        found = slices(comparison({_PROBE: before, _FULL: after}), attributes, _FULL)
        behind += any(one.behind for one in found)
        changed += any(one.turn != "no difference found" for one in found if one.turn)
    # Of 100 at 5% each, more than 10 would happen in 1 of 100 test runs.
    assert max(behind, changed) <= 10


def test_what_images_look_like_divides_them(sampled_home: Path) -> None:
    data = ingest.sample(next(iter(ingest.SAMPLES)))
    assert image_facts.known_facts(data) is None
    measuring = image_facts.open_facts(data)
    assert [progress.fraction for progress in measuring][-1] == 1.0
    found = {one.name: one for one in automatic(image_facts.known_facts(data))}
    # All of one size and shape: no division.
    assert set(found) == {
        "brightness",
        "background_brightness",
        "background_colour",
        "sharpness",
    }
    for one in found.values():
        assert len(one.values) == len(data.images)
        assert 2 <= len(set(one.values)) <= 9
