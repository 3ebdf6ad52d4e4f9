"""What experiments showed: values against plain arithmetic, honest where nothing is to be seen."""

import msgspec
import numpy as np
import pytest

from tests import factories, replies
from tests.simulated import comparison, hits
from tl_core.answers import Distance, Soundness
from tl_core.catalog import catalog
from tl_core.domain import FAR_MMD
from tl_core.events import Baseline, RunFailed, SourceFacts
from tl_core.findings import Finding
from tl_core.outcomes import OUTCOMES, NotMeasured, largest_class, under_mixture
from tl_core.pitfalls import PITFALLS
from tl_core.record import Record, record
from tl_core.variants import VARIANTS

PROBE, SCRATCH, FULL = "feature_extraction", "from_scratch", "full_fine_tuning"


def one_seed(accuracy: float, seed: int = 1, images: int = 200) -> np.ndarray:
    return hits(accuracy, seed, seeds=1, images=images)


def soundness(**changes: object) -> Soundness:
    values = {
        "images": 10,
        "mismatch": "",
        "findings": (),
        "source": "Drawn source images",
        "source_images": 100,
        "distances": (),
    }
    return Soundness(**{**values, **changes})


@pytest.mark.parametrize("name", PITFALLS)
def test_without_a_result_it_says_so_and_shows_nothing(name: str) -> None:
    if not PITFALLS[name].experiment:
        return
    with pytest.raises(NotMeasured):
        OUTCOMES[name]([])


def test_negative_transfer_is_the_paired_gap() -> None:
    frozen, scratch = one_seed(0.6, 1), one_seed(0.9, 2)
    found = OUTCOMES["negative_transfer"]([comparison({PROBE: frozen, SCRATCH: scratch})])
    assert found.measure.value == pytest.approx(100 * (scratch.mean() - frozen.mean()))
    assert found.shown and found.measure.low > 0
    assert {dot.strategy: dot.estimate.value for dot in found.dots if dot.strategy} == {
        SCRATCH: pytest.approx(100 * scratch.mean()),
        PROBE: pytest.approx(100 * frozen.mean()),
    }


def test_nothing_to_see_is_said() -> None:
    same = one_seed(0.8)
    found = OUTCOMES["negative_transfer"]([comparison({PROBE: same, SCRATCH: same})])
    assert not found.shown
    assert found.otherwise == "Not this time: the interval contains 0."
    backwards = comparison({PROBE: one_seed(0.9), SCRATCH: one_seed(0.5)})
    assert not OUTCOMES["negative_transfer"]([backwards]).shown


def test_a_strategy_that_failed_is_named_with_its_reason() -> None:
    found = comparison({PROBE: one_seed(0.8)})
    failed = RunFailed(run_id="x", run=factories.RUN, reason="Memory ran out.")
    broken = record([factories.comparison_started(found.started.config), failed])
    with pytest.raises(NotMeasured, match=r"Feature extraction was not measured\. Memory ran out"):
        OUTCOMES["label_shift"]([broken])


def source(correct: list[bool]) -> SourceFacts:
    labels = tuple(range(len(correct)))
    return SourceFacts(
        name="drawn",
        fingerprint="e" * 64,
        images=len(correct),
        classes=len(correct),
        source_classes=len(correct),
        labels=labels,
        predictions=tuple(n if right else n + 1 for n, right in zip(labels, correct, strict=True)),
        correct=tuple(correct),
        rated=True,
    )


def test_forgetting_is_the_paired_loss_on_the_source_task() -> None:
    images = 100
    kept = tuple(n if n < 60 else n + 1 for n in range(images))
    found = comparison(
        {FULL: one_seed(0.9), PROBE: one_seed(0.9)},
        results={"source_predictions": kept},
        source=source([True] * 90 + [False] * 10),
    )
    showed = OUTCOMES["forgetting"]([found])
    assert showed.measure.value == pytest.approx(30.0)
    assert showed.shown
    assert not showed.shares
    with pytest.raises(NotMeasured, match="source images"):
        OUTCOMES["forgetting"]([comparison({FULL: one_seed(0.9), PROBE: one_seed(0.9)})])


def test_overfitting_is_the_gap_to_images_that_were_not_trained_on() -> None:
    right = one_seed(0.6)
    found = comparison({FULL: right}, results={"train_accuracy": 0.95})
    showed = OUTCOMES["overfitting"]([found])
    assert showed.measure.value == pytest.approx(95 - 100 * right.mean())
    known, _, tested = (dot.estimate for dot in showed.dots)
    assert (known.low, known.high) == (known.value, known.value)
    assert showed.measure.low == pytest.approx(known.value - tested.high)
    honest = comparison({FULL: right}, results={"train_accuracy": float(right.mean())})
    assert not OUTCOMES["overfitting"]([honest]).shown


def baseline(name: str, accuracy: float) -> Baseline:
    return Baseline(
        name=name, test_accuracy=accuracy, ci_low=0.4, ci_high=0.6, balanced_accuracy=0.5
    )


def test_overconfidence_is_confidence_minus_accuracy_beside_what_needs_no_training() -> None:
    right = one_seed(0.7)
    guesses = (baseline("majority_class", 0.5), baseline("nearest_neighbour", 0.55))
    found = comparison({FULL: right}, baselines=guesses)
    showed = OUTCOMES["overconfidence"]([found])
    # The simulated runs state 0.9 for every image.
    assert showed.measure.value == pytest.approx(90 - 100 * right.mean())
    assert showed.shown
    assert [round(dot.estimate.value) for dot in showed.dots[2:]] == [50, 55]
    modest = OUTCOMES["overconfidence"]([comparison({FULL: one_seed(0.99)})])
    assert not modest.shown and modest.measure.high < 0


def at_rate(right: np.ndarray, rate: float) -> Record:
    found = comparison({FULL: right})
    config = msgspec.structs.replace(found.started.config, learning_rate=rate)
    found.started = msgspec.structs.replace(found.started, config=config)
    return found


def test_sensitivity_is_best_minus_worst_at_a_level_for_all_pairs() -> None:
    worst, best = one_seed(0.5, 1), one_seed(0.9, 2)
    runs = [at_rate(worst, 0.1), at_rate(best, 0.01)]
    two = OUTCOMES["sensitivity"](runs)
    three = OUTCOMES["sensitivity"]([*runs, at_rate(one_seed(0.8, 3), 0.001)])
    assert (
        two.measure.value
        == three.measure.value
        == pytest.approx(100 * (best.mean() - worst.mean()))
    )
    # Chosen out of more pairs: less is certain.
    assert three.measure.low < two.measure.low and three.measure.high > two.measure.high
    assert [dot.label for dot in two.dots] == ["Learning rate 0.1", "Learning rate 0.01"]


def test_settings_on_other_images_are_not_compared() -> None:
    other = one_seed(0.9)
    other[:, ::2] = np.nan
    with pytest.raises(NotMeasured, match="different images"):
        OUTCOMES["sensitivity"]([at_rate(one_seed(0.9), 0.1), at_rate(other, 0.01)])
    with pytest.raises(NotMeasured, match="two settings"):
        OUTCOMES["sensitivity"]([at_rate(one_seed(0.9), 0.1)])


LABELS = np.repeat([0, 1], [160, 40])


def test_label_shift_is_the_loss_with_all_classes_equally_often() -> None:
    # Ants are always right, bees never.
    right = (LABELS == 0).astype(float)[None]
    found = comparison({PROBE: right}, LABELS)
    showed = OUTCOMES["label_shift"]([found])
    tested, equal, _ = (dot.estimate.value for dot in showed.dots)
    assert (tested, equal) == (pytest.approx(80.0), pytest.approx(50.0))
    assert showed.measure.value == pytest.approx(30.0)
    assert showed.shown
    assert "−30.0 points" in showed.sentence
    assert largest_class(found) == ("ant", 0.8)
    assert under_mixture(found, 0.25).value == pytest.approx(0.25)
    assert under_mixture(found, 1.0).value == pytest.approx(1.0)


def test_where_classes_are_alike_the_mixture_does_not_matter() -> None:
    right = np.tile([1.0, 1.0, 1.0, 0.0], 50)[None]
    assert not OUTCOMES["label_shift"]([comparison({PROBE: right}, LABELS)]).shown


def test_source_bias_is_of_the_class_that_the_source_model_serves_worst() -> None:
    labels = np.arange(200) % 2
    biased = np.where(labels == 1, one_seed(0.4), 1.0)
    found = comparison({"zero_shot": biased, PROBE: np.ones((1, 200))}, labels)
    showed = OUTCOMES["source_bias"]([found])
    assert showed.measure.value == pytest.approx(100 * (1 - biased[0, labels == 1].mean()))
    assert showed.shown and "class bee" in showed.sentence
    assert showed.dots[0].label == "bee"
    unmapped = OUTCOMES["source_bias"]([comparison({PROBE: biased}, labels)])
    assert unmapped.measure == showed.measure and "through a head" in unmapped.sentence
    fair = comparison({"zero_shot": one_seed(0.8), PROBE: one_seed(0.9, 2)}, labels)
    assert not OUTCOMES["source_bias"]([fair]).shown


def copies(*groups: tuple[int, ...]) -> Soundness:
    found = Finding(kind="copies_across_parts", title="t", text="t", remedy="r", groups=groups)
    return soundness(findings=(found,))


def test_duplicates_are_test_images_with_a_copy_that_is_not_tested() -> None:
    right = one_seed(0.5, images=100)
    right[:, :20] = 1.0
    # Image 100 and above are not tested; the last two groups say nothing of other parts.
    groups = [(n, 100 + n) for n in range(20)] + [(50, 51), (200, 201)]
    showed = OUTCOMES["duplicates"]([copies(*groups), comparison({PROBE: right})])
    known, new, _ = (dot.estimate.value for dot in showed.dots)
    assert known == 100 and new == pytest.approx(100 * right[:, 20:].mean())
    assert showed.measure.value == pytest.approx(known - new)
    assert showed.shown and "for 20 of 100 test images" in showed.sentence


def test_without_copies_there_is_nothing_to_compare() -> None:
    with pytest.raises(NotMeasured, match="nothing to mend"):
        OUTCOMES["duplicates"]([soundness(), comparison({PROBE: one_seed(0.9)})])


def mmd(value: float) -> Distance:
    return Distance(name="mmd", title="MMD²", value=value, null_low=-0.001, null_high=0.002, p=0.01)


@pytest.mark.parametrize("value, far", [(0.3, True), (FAR_MMD - 0.01, False), (0.001, False)])
def test_domain_mismatch_is_judged_as_distances_go(value: float, far: bool) -> None:
    showed = OUTCOMES["domain_mismatch"]([soundness(distances=(mmd(value),))])
    assert showed.measure.value == value
    assert showed.shown is far


@pytest.mark.parametrize("name", ["preprocessing", "modality"])
def test_mistakes_are_told_with_the_first_of_them_in_front(name: str) -> None:
    answer = replies.stress()
    backwards = msgspec.structs.replace(answer, variants=answer.variants[::-1])
    showed = OUTCOMES[name]([backwards])
    assert showed.dots[0].label == list(VARIANTS.values())[-1].title
    assert showed.measure == backwards.variants[0].target_loss
    assert showed.shown
    # The first of all costs nothing here.
    assert not OUTCOMES[name]([answer]).shown


def test_licences_are_counted() -> None:
    showed = OUTCOMES["licences"]([])
    allowed = sum(row.weights.may_be_sold == "yes" for row in catalog().values())
    assert showed.measure.value == pytest.approx(100 * allowed / len(catalog()))
    assert showed.shown == (allowed < len(catalog()))
