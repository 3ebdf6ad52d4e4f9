"""The strategy table: every column defined, cells as the rows have them, honest standing."""

import math

import msgspec
import pytest

from tests import scripted
from tl_core import columns
from tl_core.record import record
from tl_core.tables import StrategyRow, rows
from tl_core.verdict import verdict

FULL = record(scripted.events())
ROWS = rows(FULL)
SAID = verdict(FULL, ROWS)


def test_every_column_has_a_definition_and_a_name_of_its_own() -> None:
    found = columns.columns(FULL, SAID)
    assert len({column.title for column in found}) == len(found)
    assert all(column.definition.endswith((".", "scratch.")) for column in found)


def test_cells_are_the_rows_in_percent_and_points() -> None:
    frame = columns.frame(FULL, ROWS, SAID).set_index("Strategy")
    row = next(r for r in ROWS if r.strategy == "full_fine_tuning")
    line = frame.loc["Full fine-tuning"]
    assert line["Test accuracy"] == pytest.approx(100 * row.test_accuracy)
    assert line["Generalisation gap"] == pytest.approx(100 * row.generalisation_gap)
    assert line["Forgetting"] == pytest.approx(row.forgetting_points)
    assert line["GFLOPs"] == pytest.approx(row.flops / 1e9)
    assert line["Textbook: labels"] == "many (5,000 and more)"


def test_from_scratch_has_equal_steps_and_no_forgetting() -> None:
    frame = columns.frame(FULL, ROWS, SAID).set_index("Strategy")
    assert math.isnan(frame.loc["Training from scratch", "Forgetting"])
    assert frame["From scratch, equal steps"].notna().tolist() == [
        name == "Training from scratch" for name in frame.index
    ]


def test_without_a_rated_probe_the_word_is_drift() -> None:
    for probe in (0, 19):
        found = record(scripted.events(scripted.Scenario(probe=probe)))
        titles = " ".join(column.title for column in columns.columns(found))
        assert "Drift" in titles and "orgetting" not in titles


def test_the_recommended_comes_first_and_the_worse_after_the_tied() -> None:
    order = columns.ranked(ROWS, SAID)
    assert order[0].strategy == SAID.recommended
    tied = [row.tied_with_best for row in order]
    assert tied == sorted(tied, reverse=True)


def test_what_was_not_measured_comes_last_and_says_why() -> None:
    scenario = scripted.Scenario(seeds=1, zero_shot=False, fails="full_fine_tuning")
    found = record(scripted.events(scenario))
    order = columns.ranked(rows(found), verdict(found, rows(found)))
    said = {row.strategy: columns.standing(row) for row in order}
    assert {row.strategy for row in order[-2:]} == {"zero_shot", "full_fine_tuning"}
    assert said["zero_shot"].startswith("not applicable")
    assert said["full_fine_tuning"].startswith("failed: There was not enough memory")


def test_a_failed_seed_is_not_hidden_by_the_others() -> None:
    found = record(scripted.events(scripted.Scenario(fails="full_fine_tuning")))
    row = next(r for r in rows(found) if r.strategy == "full_fine_tuning")
    assert row.seeds == 2
    assert "1 of its runs failed" in columns.standing(row)


def test_the_best_has_no_interval_to_itself() -> None:
    frame = columns.frame(FULL, ROWS, SAID)
    best = frame["Difference to best"] == 0
    assert best.sum() == 1
    assert frame.loc[best, "Its 95% interval"].isna().all()


def test_the_file_has_the_json_documents_fields_and_units() -> None:
    frame = columns.export_frame(FULL, ROWS)
    assert set(StrategyRow.__struct_fields__) <= set(frame.columns)
    first = msgspec.to_builtins(ROWS[0])
    assert frame.loc[0, "test_accuracy"] == first["test_accuracy"] <= 1
