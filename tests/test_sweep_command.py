"""`sweep` on the command line: table, sentences, document; the same words go on with it."""

import json
from pathlib import Path

import msgspec
import pytest

from tests.test_cli import MODEL
from tl_core import cli, config, sweeping
from tl_core.config import Budget
from tl_core.store import Store
from tl_core.sweep import Sweep
from tl_core.swept import swept


@pytest.fixture(autouse=True)
def _small_budget(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setitem(config.BUDGETS, "quick", Budget(steps=2, trials=1, scratch_extension=2))
    monkeypatch.setitem(config.BUDGETS, "standard", Budget(steps=2, trials=3, scratch_extension=2))


@pytest.fixture
def words(picture_folder: Path, random_weights) -> list[str]:
    """Data, model and one strategy that costs next to nothing."""
    model = ["--backbone", MODEL, "--weights", str(random_weights(MODEL))]
    return [str(picture_folder), *model, "--strategies", "feature_extraction", "--device", "cpu"]


def test_a_sweep_is_printed_written_and_in_the_store(words, capsys, tmp_path):
    out = tmp_path / "out.json"
    assert cli.main(["sweep", "labels", *words, "--values", "2,4,all", "--json", str(out)]) == 0
    printed = capsys.readouterr()
    table, curves, crossed, textbook = printed.out.strip().split("\n\n")
    head, line, *points = table.splitlines()
    assert head.startswith("training images per class  strategy") and set(line) == {"-"}
    assert [point.split()[0] for point in points] == ["2", "4", "all"]
    assert "Feature extraction" in table and "agrees on 100.0%" in table
    assert "more images per class buy" in curves
    assert "No crossover found" in crossed
    assert "With your 16 training images" in textbook
    assert "all 3 points: about" in printed.err and "Training images per class: 4" in printed.err

    made = json.loads(out.read_text())
    assert [row["label"] for row in made["rows"]] == ["2", "4", "all"]
    assert [row["value"] for row in made["rows"]] == [2.0, 4.0, 8.0]
    assert [one["comparison"]["labels_per_class"] for one in made["points"]] == [2, 4, None]
    (curve,) = made["learning_curves"]
    assert curve["text"] in printed.out and curve["sizes"] == [2.0, 4.0, 8.0]
    assert curve["fit"]["band"][-1]["size"] == pytest.approx(16.0)

    (job,) = Store().list()
    assert (job.kind, job.status, job.name) == ("sweep", "done", "More labels: pictures")
    assert job.config.labels_per_class is None
    wanted = msgspec.convert(job.request["sweep"], Sweep)
    found = swept(event for _, event in Store().events(job.id))
    assert found.sweep == wanted and len(found.records) == 3 and found.finished


def test_the_same_words_go_on_where_a_sweep_was_stopped(words, capsys, tmp_path, monkeypatch):
    whole, again = tmp_path / "whole.json", tmp_path / "again.json"
    original = sweeping.run_comparison

    def stopped(wanted, *rest, **more):
        if wanted.labels_per_class == 4:
            raise KeyboardInterrupt
        yield from original(wanted, *rest, **more)

    monkeypatch.setattr(sweeping, "run_comparison", stopped)
    arguments = ["sweep", "labels", *words, "--values", "2,4,all", "--json"]
    assert cli.main([*arguments, str(whole)]) == cli.INTERRUPTED
    assert not whole.exists() and Store().list()[0].status == "cancelled"
    monkeypatch.setattr(sweeping, "run_comparison", original)
    assert cli.main([*arguments, str(whole)]) == 0
    assert cli.main([*arguments, str(again)]) == 0
    first, second = (json.loads(path.read_text())["rows"] for path in (whole, again))
    assert [row.pop("reused") for row in first] == [True, False, False]
    assert [row.pop("reused") for row in second] == [True, True, True]
    assert first == second
    assert "(taken over)" in capsys.readouterr().out


def test_like_a_comparison_takes_its_strategies_seeds_and_chosen_rates(
    words, capsys, tmp_path, random_weights
):
    names = ["--strategies", "partial_fine_tuning", "--seeds", "2", "--budget", "standard"]
    assert cli.main(["compare", *words, *names, "--name", "first"]) == 0
    (compared,) = Store().list()
    ended = [e for _, e in Store().events(compared.id) if type(e).__name__ == "RunEnded"]
    chosen = {e.run.learning_rate for e in ended if e.run.kind == "final"}
    out = tmp_path / "out.json"
    words = words[: words.index("--strategies")]
    like = ["--values", "1,2", "--like", compared.id[:8], "--json", str(out)]
    assert cli.main(["sweep", "steps", *words, "--device", "cpu", *like]) == 0
    made = json.loads(out.read_text())
    assert {row["strategy"] for row in made["rows"]} == {"partial_fine_tuning"}
    assert [row["seeds"] for row in made["rows"]] == [2, 2]
    assert {row["learning_rate"] for row in made["rows"]} == chosen
    assert [row["reused"] for row in made["rows"]] == [False, True], "two steps were made before"
    assert cli.main(["sweep", "steps", *words, "--device", "cpu", *like, "--seeds", "1"]) == 0
    made = json.loads(out.read_text())
    assert [row["seeds"] for row in made["rows"]] == [1, 1], "what is asked for wins"
    assert {row["learning_rate"] for row in made["rows"]} == chosen
    other = ["--backbone", "squeezenet1_1", "--weights", str(random_weights("squeezenet1_1"))]
    assert cli.main(["sweep", "steps", words[0], *other, *like]) == 2
    assert "its rates are that model's" in capsys.readouterr().err
    assert cli.main(["sweep", "steps", *words, "--like", "zzz"]) == 2
    assert "There is no comparison 'zzz'" in capsys.readouterr().err


def test_a_point_that_fails_is_told_and_the_exit_code_says_so(words, capsys, monkeypatch):
    def failing(wanted, *rest, **more):
        raise config.NotPossible("Not like this.")
        yield

    monkeypatch.setattr(sweeping, "run_comparison", failing)
    assert cli.main(["sweep", "labels", *words, "--values", "2,all"]) == 1
    printed = capsys.readouterr()
    assert printed.out.count("Not like this.") == 2 and "not possible" in printed.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["labels", "--values", "0,3"], "2 or more, not 0"),
        (["augmentation"], "None of the strategies is trained"),
        (["labels", "--json", "/nowhere/at/all.json"], "There is no folder"),
        (["labels", "--labels-per-class", "1"], "2 labelled images of each class"),
        (["labels", "--settings", "{}x"], "not JSON"),
    ],
)
def test_what_cannot_be_is_one_sentence(words, capsys, arguments, sentence):
    what, *rest = arguments
    assert cli.main(["sweep", what, *words, *rest]) == 2
    assert sentence in capsys.readouterr().err
    assert Store().list() == []
