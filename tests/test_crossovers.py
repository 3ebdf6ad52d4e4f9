"""Crossovers: only where both sides are beyond their intervals."""

from tests import sweeps
from tl_core.crossovers import crossover_text, crossovers, textbook_text

PROBE, TUNED = "feature_extraction", "full_fine_tuning"
SIZES = (2.0, 5.0, 10.0, 20.0, 40.0)


def made(tuned: tuple[float, ...], probe: float = 0.8):
    points = {
        size: {PROBE: sweeps.exact(probe), TUNED: sweeps.exact(accuracy)}
        for size, accuracy in zip(SIZES, tuned, strict=True)
    }
    return crossovers(sweeps.over(points))


def test_a_clear_change_of_places():
    (found,) = made((0.5, 0.6, 0.8, 0.9, 0.95))
    assert (found.first, found.second) == (TUNED, PROBE)
    assert (found.below, found.above) == (5.0, 20.0)
    assert found.text == (
        "From 20 labels per class on full fine-tuning is ahead of feature extraction; "
        "at 5 and fewer it is behind; between them nothing can be said."
    )


def test_sides_within_their_interval_are_no_crossover():
    assert made((0.5, 0.6, 0.79, 0.8, 0.8)) == []
    assert made((0.8, 0.8, 0.82, 0.9, 0.95)) == []
    assert "No crossover found" in crossover_text([])


def test_what_does_not_hold_on_is_said_of_its_size_alone():
    (found,) = made((0.8, 0.6, 0.9, 0.8, 0.8))
    assert found.text == (
        "At 10 labels per class full fine-tuning is ahead of feature extraction; at 5 it is behind."
    )
    assert crossover_text([found]) == found.text


def test_who_falls_behind_is_the_other_of_the_pair():
    (found,) = made((0.9, 0.9, 0.8, 0.7, 0.6))
    assert (found.first, found.second) == (PROBE, TUNED)


def test_the_textbook_speaks_by_images_in_all():
    said = textbook_text(240)
    assert "under 500" in said and "500 to 5,000" in said and "100,000" in said
    assert said.endswith("With your 240 training images it would say feature extraction.")
    assert textbook_text(500).endswith("partial fine-tuning.")
    assert textbook_text(2_000_000).endswith("training from scratch.")
