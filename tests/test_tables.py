import json

import msgspec
import numpy as np
import pytest

from tests.scripted import Scenario, events
from tl_core import stats
from tl_core.document import document
from tl_core.events import EpochEnded, RunEnded, RunFailed, decode, encode
from tl_core.flags import FLAGS
from tl_core.record import record
from tl_core.strategies import STRATEGIES, TEXTBOOK_STRATEGIES
from tl_core.tables import baselines, curve_frame, rows, source_summary
from tl_core.verdict import _forgetters, verdict


@pytest.fixture(scope="module")
def found():
    return record(events())


@pytest.fixture(scope="module")
def measured(found):
    return {row.strategy: row for row in rows(found)}


def test_events_survive_json(found):
    for event in events():
        assert decode(encode(event)) == event
    with pytest.raises(msgspec.ValidationError):
        decode(b'{"event": "Progress", "message": "x", "unknown": 1}')


def test_accuracy_is_the_mean_over_all_tested_images(found, measured):
    for name, row in measured.items():
        hits = [
            np.equal(run.result.test_predictions, run.result.test_labels)
            for run in found.final(name).values()
        ]
        assert row.test_accuracy == pytest.approx(np.concatenate(hits).mean())
        assert row.ci_low < row.test_accuracy < row.ci_high
        assert row.seeds == 3


def test_best_ties_with_itself_and_differences_are_paired(measured):
    best = max(measured.values(), key=lambda row: row.test_accuracy)
    assert (best.difference_to_best, best.tied_with_best) == (0.0, True)
    for row in measured.values():
        difference = row.test_accuracy - best.test_accuracy
        assert row.difference_to_best == pytest.approx(difference)
        assert row.difference_low <= difference <= row.difference_high
        if not row.tied_with_best:
            assert row.difference_high < 0
    assert not measured["from_scratch"].tied_with_best


def test_a_difference_below_one_image_is_a_tie():
    from tl_core.tables import _difference

    correct = np.ones((1, 50))
    found = _difference(stats.Interval(-0.01, -0.015, -0.005), correct)
    assert found["tied_with_best"] is True
    assert _difference(stats.Interval(-0.03, -0.04, -0.01), correct)["tied_with_best"] is False


def test_forgetting_in_points_with_paired_interval(measured):
    frozen = measured["feature_extraction"]
    assert frozen.forgetting_points == frozen.forgetting_low == frozen.forgetting_high == 0.0
    full = measured["full_fine_tuning"]
    assert full.forgetting_low < full.forgetting_points < full.forgetting_high
    assert full.forgetting_points > 10
    assert measured["from_scratch"].forgetting_points is None


def test_without_a_probe_there_is_drift_and_no_forgetting():
    found = record(events(Scenario(probe=0)))
    by_name = {row.strategy: row for row in rows(found)}
    assert source_summary(found.started) is None
    assert by_name["full_fine_tuning"].forgetting_points is None
    assert by_name["full_fine_tuning"].agreement is not None


def test_later_events_replace_earlier_ones(found):
    doubled = record([*events(), *events()])
    assert rows(doubled) == rows(found)
    assert len(doubled.ended) == len(found.ended)


def test_a_comparison_that_stands_still_has_rows_at_every_moment():
    everything = events()
    for cut in range(0, len(everything), 7):
        partial = record(everything[:cut])
        rows_now = rows(partial)
        assert len(rows_now) in (0, 5)
        verdict(partial, rows_now)
        curve_frame(partial)


def test_failed_runs_are_counted_with_their_reason():
    row = {r.strategy: r for r in rows(record(events(Scenario(fails="partial_fine_tuning"))))}
    assert row["partial_fine_tuning"].failed > 0
    assert row["partial_fine_tuning"].failure


def test_curves_hold_final_runs_from_step_0(found):
    frame = curve_frame(found)
    assert set(frame["strategy"]) == {"partial_fine_tuning", "full_fine_tuning", "from_scratch"}
    assert frame["share"].between(0, 1).all()
    trained = frame[frame["strategy"] == "full_fine_tuning"]
    first = trained[trained["step"] == trained["step"].min()]
    assert (first["forgetting_points"] == 0).all()
    ended = [e for e in events() if isinstance(e, EpochEnded)]
    assert len(frame) <= len(ended)


def test_document_has_the_fields_others_rely_on(found, measured):
    made = json.loads(json.dumps(document(found, rows(found))))
    assert {
        "dataset", "backbone", "source", "class_map", "budget", "device", "versions",
        "baselines", "rows", "verdict",
    } <= set(made)  # fmt: skip
    assert set(made["dataset"]) == {
        "name", "fingerprint", "classes", "n_train", "n_validation", "n_test",
    }  # fmt: skip
    assert set(made["source"]) == {
        "name", "images", "classes", "accuracy_before", "ci_low", "ci_high",
    }  # fmt: skip
    expected = {
        "strategy", "applicable", "seeds", "test_accuracy", "ci_low", "ci_high",
        "difference_to_best", "difference_low", "difference_high", "tied_with_best",
        "balanced_accuracy", "validation_accuracy", "train_accuracy", "generalisation_gap",
        "test_accuracy_equal_steps", "forgetting_points", "forgetting_low", "forgetting_high",
        "agreement", "trainable_parameters", "total_parameters", "steps", "steps_to_95",
        "train_seconds", "peak_memory_mb", "flops", "learning_rate",
    }  # fmt: skip
    assert all(expected <= set(row) for row in made["rows"])
    assert [row["strategy"] for row in made["rows"]] == list(TEXTBOOK_STRATEGIES)
    assert made["baselines"]["majority_class"] == found.started.majority_accuracy


def test_document_holds_flags_and_calibration(found):
    made = json.loads(json.dumps(document(found, rows(found))))
    assert {flag["name"] for flag in made["flags"]} == set(FLAGS)
    raised = [flag for flag in made["flags"] if flag["state"] == "raised"]
    assert raised and raised == made["flags"][: len(raised)]
    assert all(flag["text"] and flag["title"] for flag in made["flags"])
    by_name = {row["strategy"]: row["calibration"] for row in made["rows"]}
    assert by_name["zero_shot"] is None
    full = by_name["full_fine_tuning"]
    assert set(full) == {"temperature", "before", "after"}
    assert set(full["before"]) == {
        "expected_calibration_error", "if_calibrated", "signed_gap", "log_loss", "brier",
    }  # fmt: skip
    older = record(events(Scenario(kept=False)))
    plain = document(older, rows(older))["rows"]
    assert {row["calibration"] for row in plain} == {None}


def test_document_needs_a_started_comparison():
    with pytest.raises(ValueError, match="not started"):
        document(record([]), [])


def test_baselines_are_none_until_measured(found):
    begun = record(events()[:1])
    assert baselines(begun, rows(begun))["zero_shot"] is None
    assert baselines(found, rows(found))["linear_probe"] is not None


def test_verdict_recommends_least_forgetting_among_the_tied(found, measured):
    said = verdict(found, rows(found))
    tied = [row for row in measured.values() if row.tied_with_best]
    chosen = measured[said.recommended]
    assert chosen in tied
    assert chosen.forgetting_points == min(row.forgetting_points for row in tied)
    assert "from scratch is clearly worse" in said.text.lower()
    assert "forgot" in said.text
    assert said.would_change_if.text.startswith("Would change if")
    assert all(clause.numbers for clause in said.clauses)


def test_verdict_of_one_seed_says_so():
    found = record(events(Scenario(seeds=1)))
    assert "this split and this start only" in verdict(found, rows(found)).text


def test_verdict_warns_when_nothing_beats_guessing(found):
    started = msgspec.structs.replace(found.started, majority_accuracy=0.99)
    guessing = record([started, *events()[1:]])
    assert "not clearly better than always guessing" in verdict(guessing, rows(guessing)).text


def test_no_verdict_before_anything_has_ended():
    begun = record(events()[:1])
    assert verdict(begun, rows(begun)) is None
    first = next(i for i, e in enumerate(events()) if isinstance(e, RunEnded))
    one = record(events()[: first + 1])
    assert verdict(one, rows(one)).recommended is None


def test_every_failed_run_is_listed_once():
    failing = events(Scenario(fails="from_scratch"))
    failed = [event for event in failing if isinstance(event, RunFailed)]
    assert len(record(failing).failed) == len({event.run_id for event in failed})


def test_verdict_says_when_a_loser_ran_out_of_budget(found, measured):
    said = verdict(found, rows(found))
    late = [
        row
        for row in measured.values()
        if row.train_accuracy < measured[said.recommended].test_accuracy
    ]
    assert [row.strategy for row in late if row.steps] == ["from_scratch"]
    assert "Training from scratch had not learned even the training images" in said.text


def test_a_run_that_succeeds_after_a_failure_is_no_failure():
    failing, sound = events(Scenario(fails="full_fine_tuning")), events()
    both = record([*failing, *sound])
    assert not both.failed
    assert all(row.failed == 0 for row in rows(both))


def test_short_memory_is_told_with_what_it_changes(found):
    from dataclasses import replace

    from tl_core.tables import memory_note

    assert memory_note(found) == ""
    note = memory_note(replace(found, micro_batch=8))
    assert note.startswith("Memory ran out with 32 images at a time")
    assert "Training from scratch: batch normalisation sees 8 images instead of 32" in note


def test_several_that_forgot_for_nothing_are_told_together(measured):
    template = measured["full_fine_tuning"]
    forgot = [
        msgspec.structs.replace(
            template,
            strategy=name,
            tied_with_best=True,
            forgetting_points=value,
            forgetting_low=value - 1,
            forgetting_high=value + 1,
        )
        for name, value in (("full_fine_tuning", 5.0), ("lp_ft", 9.0), ("lora", 7.0))
    ]
    titles = {name: strategy.title for name, strategy in STRATEGIES.items()}
    chosen = measured["feature_extraction"]
    (together,) = _forgetters(chosen, [chosen, *forgot], titles)
    assert together.text == (
        "Full fine-tuning, LoRA and LP-FT forgot 5.0 to 9.0 points for no gain we can measure."
    )
    assert [label for label, _ in together.numbers] == ["Full fine-tuning", "LoRA", "LP-FT"]
    two = _forgetters(chosen, [chosen, *forgot[:2]], titles)
    assert [clause.strategies for clause in two] == [("full_fine_tuning",), ("lp_ft",)]
