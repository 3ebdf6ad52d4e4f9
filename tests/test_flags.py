"""Every rule can be raised, clear and unknown; identical strategies are rarely told apart."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from tests.scripted import Scenario, events
from tests.simulated import IMAGES, SEEDS, comparison, hits
from tl_core.answers import Distance, Estimate, Soundness, Stress, Variant
from tl_core.events import Baseline, DatasetFacts, EpochEnded, RunEnded
from tl_core.findings import Finding
from tl_core.flags import FLAGS, STATES, Evidence, Flag, flags, summary
from tl_core.flags.data import distance
from tl_core.record import Record, record
from tl_core.slices import Attribute
from tl_core.tables import rows

PROBE, PARTIAL, FULL = "feature_extraction", "partial_fine_tuning", "full_fine_tuning"
SCRATCH, EQUAL = "from_scratch", ("from_scratch", "equal_steps")


def evidence(found: Record, **more) -> Evidence:
    return Evidence(found, rows(found), **more)


def check(name: str, found: Record, **more) -> list[Flag]:
    made = FLAGS[name].check(evidence(found, **more))
    assert made and {flag.name for flag in made} == {name}
    assert {flag.title for flag in made} == {FLAGS[name].title}
    return made


def state(name: str, found: Record, **more) -> str:
    (flag,) = {flag.state for flag in check(name, found, **more)}
    return flag


FULL_RECORD = record(events(Scenario(baselines=True, trials=True)))


# All rules.


def test_flags_come_raised_first_and_every_rule_has_its_say():
    found = flags(evidence(FULL_RECORD))
    assert {flag.name for flag in found} == set(FLAGS)
    order = [STATES.index(flag.state) for flag in found]
    assert order == sorted(order)


@pytest.mark.parametrize(
    "found",
    [
        FULL_RECORD,
        record(events()),
        record(events(Scenario(kept=False))),
        record(events(Scenario(seeds=1, probe=0, zero_shot=False, given_split=True))),
        record(events(Scenario(fails="full_fine_tuning"))),
        *(record(events()[:cut]) for cut in (1, 30, 90)),
    ],
    ids=["all", "default", "older", "bare", "failing", "begun", "early", "midway"],
)
def test_every_flag_is_a_plain_sentence_with_what_to_do(found: Record):
    for flag in flags(evidence(found)):
        assert flag.text.endswith(".") and not flag.text[0].islower(), flag
        assert flag.state == "clear" or flag.remedy, flag
        assert "None" not in flag.text and "nan" not in flag.text.lower().split(), flag
        if flag.value is not None:
            assert flag.value.low <= flag.value.value <= flag.value.high, flag
            assert flag.unit, flag
        assert msgspec.json.encode(flag)


def test_the_summary_counts_checks_not_strategies():
    made = [
        Flag(state="raised", text="x", name="a"),
        Flag(state="raised", text="x", name="a"),
        Flag(state="unknown", text="x", name="b"),
        Flag(state="clear", text="x", name="c"),
    ]
    assert summary(made) == "1 of 3 checks raises a flag; 1 could not be made."
    assert summary(made[3:]) == "None of 1 checks raise a flag."


# Transfer.


def test_negative_transfer_names_the_better_of_the_two_baselines():
    good, bad = hits(0.95, 1), hits(0.6, 2)
    found = comparison({PROBE: bad, SCRATCH: hits(0.8, 3), EQUAL: good})
    (flag,) = check("negative_transfer", found)
    assert (flag.state, flag.strategy) == ("raised", PROBE)
    assert flag.baseline == "training from scratch at equal steps"
    assert flag.value.value == pytest.approx(100 * (good.mean() - bad.mean()))
    extended = comparison({PROBE: bad, SCRATCH: good, EQUAL: hits(0.8, 3)})
    assert "extended" in check("negative_transfer", extended)[0].baseline
    assert state("negative_transfer", comparison({PROBE: good, SCRATCH: bad})) == "clear"
    assert state("negative_transfer", comparison({PROBE: good})) == "unknown"
    assert state("negative_transfer", comparison({SCRATCH: good})) == "unknown"


def test_zero_shot_is_no_transfer_that_training_could_have_spoilt():
    found = comparison({"zero_shot": hits(0.2, 1), SCRATCH: hits(0.9, 2)})
    assert state("negative_transfer", found) == "unknown"


def test_harmful_fine_tuning_is_against_the_linear_probe():
    found = comparison({PROBE: hits(0.95, 1), PARTIAL: hits(0.94, 2), FULL: hits(0.6, 3)})
    (flag,) = check("harmful_fine_tuning", found)
    assert (flag.state, flag.strategy) == ("raised", FULL)
    assert "linear probe" in flag.baseline
    assert state("harmful_fine_tuning", comparison({PROBE: hits(0.9, 1)})) == "unknown"
    assert state("harmful_fine_tuning", comparison({FULL: hits(0.9, 1)})) == "unknown"


@pytest.mark.parametrize("seeds", [1, SEEDS])
def test_identical_strategies_are_rarely_told_apart(seeds: int):
    """A/A: 100 comparisons of strategies with one true accuracy and common hard images."""
    raised = dict.fromkeys(("negative_transfer", "harmful_fine_tuning"), 0)
    for number in range(100):
        keys = (PROBE, PARTIAL, FULL, SCRATCH, EQUAL)
        made = {key: hits(0.88, 100 * number + k, seeds=seeds) for k, key in enumerate(keys)}
        seen = Evidence(comparison(made), ())
        for name in raised:
            raised[name] += any(flag.state == "raised" for flag in FLAGS[name].check(seen))
    # Of 100 at 5% each, more than 10 would happen in 1 of 100 test runs.
    assert max(raised.values()) <= 10


def test_a_missing_baseline_is_a_flag_of_its_own():
    def found(*without: str) -> Record:
        kept = [s for s in Scenario().strategies if s.name not in without]
        return record(events(Scenario(baselines=True, strategies=tuple(kept))))

    assert state("no_baseline", found()) == "clear"
    (flag,) = check("no_baseline", found(SCRATCH))
    assert flag.state == "raised" and "training from scratch" in flag.text
    assert "zero-shot" in check("no_baseline", found("zero_shot"))[0].text
    unmapped = Scenario(baselines=True, zero_shot=False)
    assert state("no_baseline", record(events(unmapped))) == "clear"
    # Older comparisons did not measure the nearest neighbour.
    assert state("no_baseline", record(events())) == "unknown"


def test_a_recommendation_has_to_clear_what_needs_no_training():
    near = Baseline(
        name="nearest_neighbour",
        test_accuracy=0.89,
        ci_low=0.8,
        ci_high=0.95,
        balanced_accuracy=0.89,
    )
    made = {PROBE: hits(0.9, 1), FULL: hits(0.9, 2), SCRATCH: hits(0.5, 3)}
    found = comparison(made, baselines=(near,))
    (flag,) = check("no_baseline", found)
    assert flag.state == "raised" and "not clearly better than the nearest neighbour" in flag.text
    assert state(
        "no_baseline", comparison(made, baselines=(replace(near, test_accuracy=0.6),))
    ) == ("clear")


def test_forgetting_has_to_be_surely_more_than_five_points():
    made = check("forgetting", record(events()))
    assert [flag.strategy for flag in made] == [FULL]
    assert made[0].value.low > 5
    assert state("forgetting", record(events(Scenario(probe=0)))) == "unknown"
    kept = [s for s in Scenario().strategies if s.name == PROBE]
    assert state("forgetting", record(events(Scenario(strategies=tuple(kept))))) == "clear"


# Training.


def test_overfitting_is_a_sure_gap_between_train_and_test():
    facts = {"dataset": _facts(n_train=200)}
    found = comparison({FULL: hits(0.7, 1)}, results={"train_accuracy": 1.0}, **facts)
    (flag,) = check("overfitting", found)
    assert flag.state == "raised" and "by heart" in flag.text
    assert flag.value.low > 10
    close = comparison({FULL: hits(0.95, 1)}, results={"train_accuracy": 1.0}, **facts)
    assert state("overfitting", close) == "clear"
    assert state("overfitting", record(events()[:1])) == "unknown"


def test_overfitting_says_since_when_validation_has_fallen():
    accuracies = (0.1, 0.6, 0.93, 0.92, 0.8)
    curve = tuple(
        EpochEnded(
            run_id="x",
            step=10 * number,
            epoch=2.0 * number,
            train_loss=None,
            validation_loss=1.0,
            validation_accuracy=value,
            source_accuracy=None,
            agreement=None,
            seconds=1.0,
        )
        for number, value in enumerate(accuracies)
    )
    found = comparison(
        {FULL: hits(0.7, 1)},
        results={"train_accuracy": 1.0, "validation_images": 60},
        dataset=_facts(n_train=200),
    )
    for key, ended in found.ended.items():
        found.ended[key] = replace(ended, curve=curve)
    (flag,) = check("overfitting", found)
    assert "validation has fallen since epoch 4 (from 93.0% to 80.0%, mean over 3 seeds)" in (
        flag.text
    )
    assert "Stop near epoch 4" in flag.remedy


def test_sensitivity_needs_several_rates():
    assert state("sensitivity", record(events())) == "unknown"
    assert state("sensitivity", FULL_RECORD) == "clear"
    broken = record(
        replace(e, result=replace(e.result, diverged=True))
        if isinstance(e, RunEnded) and e.run_id == "full_fine_tuning-0-trial-1"
        else e
        for e in events(Scenario(trials=True))
    )
    (flag,) = check("sensitivity", broken)
    assert flag.state == "raised" and "1 of 3 settings diverged" in flag.text
    older = record(events(Scenario(trials=True, kept=False)))
    assert state("sensitivity", older) == "unknown"


def test_failed_diverged_and_stuck_trainings_are_counted():
    assert state("failed_starts", record(events())) == "clear"
    failing = check("failed_starts", record(events(Scenario(fails=FULL))))[0]
    assert failing.state == "raised" and "1 of 12 trainings" in failing.text
    assert "full fine-tuning" in failing.text
    stuck = comparison({FULL: hits(0.5, 1)}, results=_validated(0.5))
    (flag,) = check("failed_starts", stuck)
    assert flag.state == "raised" and "3 of 3" in flag.text
    assert state("failed_starts", comparison({FULL: hits(0.9, 1)}, results=_validated(0.9))) == (
        "clear"
    )
    assert state("failed_starts", comparison({PROBE: hits(0.9, 1)}, results={})) in STATES


def _validated(accuracy: float) -> dict:
    return {
        "validation_accuracy": accuracy,
        "validation_labels": (0, 1) * 20,
        "validation_images": 40,
    }


# Predictions.


def test_overconfidence_says_error_temperature_and_both_losses():
    made = check("overconfidence", record(events()))
    raised = {flag.strategy for flag in made if flag.state == "raised"}
    assert SCRATCH in raised and PROBE not in raised
    scratch = next(flag for flag in made if flag.strategy == SCRATCH)
    assert "expected calibration error" in scratch.text
    assert "log-loss on the test images from" in scratch.remedy
    assert scratch.value.low > 0
    assert state("overconfidence", record(events(Scenario(kept=False)))) == "unknown"


def test_accuracy_that_rare_classes_do_not_share_is_flagged():
    labels = (np.arange(IMAGES) % 10 == 0).astype(int)
    flattered = hits(0.95, 1)
    flattered[:, labels == 1] = 0.0
    (flag,) = check("class_imbalance", comparison({PROBE: flattered}, labels))
    assert flag.state == "raised"
    recalls = [flattered[:, labels == c].mean() for c in (0, 1)]
    assert flag.value.value == pytest.approx(100 * (flattered.mean() - np.mean(recalls)))
    assert state("class_imbalance", comparison({PROBE: hits(0.95, 1)}, labels)) == "clear"


def test_few_test_images_hide_large_gaps():
    few = comparison({PROBE: hits(0.9, 1, images=40)})
    (flag,) = check("few_test_images", few)
    assert flag.state == "raised" and "more seeds" in flag.remedy
    given = comparison({PROBE: hits(0.9, 1, images=40)}, dataset=_facts(given_split=True))
    assert "own test part" in check("few_test_images", given)[0].remedy
    assert state("few_test_images", comparison({PROBE: hits(0.9, 1)})) == "clear"


def test_the_group_that_is_served_worst_is_named():
    dark = np.arange(IMAGES) % 3 == 0
    shade = Attribute("shade", "Shade", tuple(np.where(dark, "dark", "light").tolist()))
    unfair = hits(0.97, 1)
    unfair[:, dark & (np.arange(IMAGES) % 2 == 0)] = 0.0
    found = comparison({PROBE: unfair, FULL: hits(0.4, 2)})
    (flag,) = check("source_bias", found, attributes=[shade])
    assert (flag.state, flag.strategy) == ("raised", PROBE)
    assert "Shade: dark" in flag.text
    fair = comparison({PROBE: hits(0.9, 1), FULL: hits(0.4, 2)})
    assert state("source_bias", fair, attributes=[shade]) == "clear"
    assert state("source_bias", fair) == "unknown"
    same = Attribute("same", "Same", ("x",) * IMAGES)
    assert state("source_bias", fair, attributes=[same]) == "unknown"
    assert state("source_bias", record(events()[:1]), attributes=[shade]) == "unknown"


# Data.


def _facts(**changes) -> DatasetFacts:
    values = {
        "name": "ants",
        "fingerprint": "f" * 64,
        "classes": ("ant", "bee"),
        "images": 400,
        "n_train": 240,
        "n_validation": 40,
        "n_test": IMAGES,
        "n_test_all_seeds": IMAGES,
        "given_split": False,
        "class_counts": (200, 200),
        "refused": 0,
        "left_out": 0,
    }
    return DatasetFacts(**{**values, **changes})


def test_other_class_shares_in_test_are_flagged_above_chance_alone():
    alike = comparison({PROBE: hits(0.9, 1)}, dataset=_facts())
    assert state("label_shift", alike) == "clear"
    labels = (np.arange(IMAGES) % 10 == 0).astype(int)
    moved = comparison({PROBE: hits(0.9, 1)}, labels, dataset=_facts())
    (flag,) = check("label_shift", moved)
    assert flag.state == "raised"
    train = np.array([200, 200]) - np.bincount(labels)
    wanted = abs(train[0] / train.sum() - 0.9)
    assert flag.value.value == pytest.approx(100 * wanted)
    assert state("label_shift", record(events()[:1])) == "unknown"


def test_chance_alone_rarely_looks_like_another_mix():
    rng, beyond = np.random.default_rng(4), 0
    for _ in range(200):
        first, second = rng.multinomial(150, [0.6, 0.3, 0.1], size=2)
        value, chance = distance(first, second)
        beyond += value.value > chance
    assert beyond <= 18


def _soundness(*findings: Finding, value: float = 0.05) -> Soundness:
    one = Distance(name="mmd", title="MMD²", value=value, null_low=0.0, null_high=0.01, p=0.1)
    return Soundness(
        mismatch="", images=9, findings=findings, source="s", source_images=30, distances=(one,)
    )


def _finding(kind: str, severity: str = "serious") -> Finding:
    return Finding(kind=kind, title="Found", text="Some.", remedy="Mend.", severity=severity)


@pytest.mark.parametrize("name", ["data_faults", "modality", "input_size"])
def test_findings_of_the_data_check_become_flags(name: str):
    kind = {"data_faults": "label_errors", "modality": "mixed_colour"}.get(name, "upscaled")
    assert state(name, FULL_RECORD) == "unknown"
    assert state(name, FULL_RECORD, soundness=_soundness()) == "clear"
    (flag,) = check(name, FULL_RECORD, soundness=_soundness(_finding(kind)))
    assert (flag.state, flag.remedy) == ("raised", "Mend.")
    assert state(name, FULL_RECORD, soundness=_soundness(_finding(kind, "fine"))) == "clear"


def test_the_data_check_too_tells_whether_images_are_handed_over_rightly():
    wrong = replace(_soundness(), mismatch="They are probably BGR.")
    (flag,) = check("preprocessing_mismatch", FULL_RECORD, soundness=wrong)
    assert (flag.state, flag.text) == ("raised", "They are probably BGR.")
    assert state("preprocessing_mismatch", FULL_RECORD, soundness=_soundness()) == "clear"


def test_far_from_the_source_is_above_what_chance_gives():
    assert state("domain_mismatch", FULL_RECORD) == "unknown"
    assert state("domain_mismatch", FULL_RECORD, soundness=_soundness()) == "clear"
    assert state("domain_mismatch", FULL_RECORD, soundness=_soundness(value=1.7)) == "raised"
    assert state("domain_mismatch", FULL_RECORD, soundness=_soundness(value=0.08)) == "clear"
    bare = replace(_soundness(), distances=())
    assert "no source images" in check("domain_mismatch", FULL_RECORD, soundness=bare)[0].text


def test_a_preprocessing_mistake_is_repeated_from_the_check():
    none = Estimate(value=0.0, low=0.0, high=0.0)
    variant = Variant(
        name="bgr",
        target_loss=Estimate(value=9.0, low=4.0, high=14.0),
        source_loss=None,
        zero_shot_loss=None,
        familiarity=none,
        mean=0.0,
        std=1.0,
        low=-2.0,
        high=2.0,
        noticed="",
    )
    fine = Stress(
        images=50,
        source_images=0,
        target_accuracy=0.9,
        source_accuracy=None,
        zero_shot_accuracy=None,
        variants=(variant,),
        mismatch="",
    )
    assert state("preprocessing_mismatch", FULL_RECORD) == "unknown"
    (flag,) = check("preprocessing_mismatch", FULL_RECORD, stress=fine)
    assert flag.state == "clear" and "9.0 points (4.0 to 14.0)" in str(flag.evidence)
    wrong = replace(fine, mismatch="They are probably BGR.")
    assert check("preprocessing_mismatch", FULL_RECORD, stress=wrong)[0].text == wrong.mismatch


@pytest.mark.parametrize(
    ("model", "expected"),
    [("resnet10_procedural", "clear"), ("resnet18", "unknown"), ("gone", "unknown")],
)
def test_the_licence_is_the_catalogs_answer(model: str, expected: str):
    started = FULL_RECORD.started
    config = replace(started.config, backbone=model)
    found = record([replace(started, config=config)])
    assert state("licence", found) == expected


def test_docs_explain_every_flag():
    text = (Path(__file__).parent.parent / "docs" / "trust.md").read_text()
    for rule in FLAGS.values():
        assert f"`{rule.name}`" in text, rule.name
        assert rule.title in text, rule.title
