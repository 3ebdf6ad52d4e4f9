"""Every ready lesson is complete, can be asked for, and reveals only what was measured."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.simulated import comparison, hits
from tests.test_outcomes import source
from tl_core import catalog, compare_command, ingest
from tl_core.answers import Estimate
from tl_core.cli import parser
from tl_core.config import ComparisonConfig
from tl_core.datasets import Dataset
from tl_core.ingest import SAMPLES
from tl_core.lessons import LESSONS, Lesson
from tl_core.outcomes import NotMeasured
from tl_core.pitfall_jobs import commands, jobs
from tl_core.pitfalls import PITFALLS, Preset
from tl_core.plans import limits, planned_runs
from tl_core.record import Record
from tl_core.reveals import REVEALS, reveal
from tl_core.strategies import STRATEGIES
from tl_core.weights import FIRST_MODEL

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "lessons.md").read_text(encoding="utf-8")
ROW = catalog.find(FIRST_MODEL)
RUN = [lesson for lesson in LESSONS.values() if lesson.experiment]
# What nobody may say where the interval contains 0.
WINNING = re.compile(r"\b(wins?|won|beats?|best|better|worse|ahead|more than|overwrote)\b", re.I)

every = pytest.mark.parametrize("lesson", LESSONS.values(), ids=lambda one: one.name)
each_run = pytest.mark.parametrize("lesson", RUN, ids=lambda one: one.name)


@pytest.fixture
def data(sampled_home: Path) -> Dataset:
    """The first sample set, which stands for any."""
    return ingest.sample(next(iter(SAMPLES)))


def test_the_eight_lessons() -> None:
    assert set(LESSONS) == set(REVEALS)
    assert set(LESSONS) == {
        "few_labels",
        "negative_transfer",
        "forgetting",
        "freezing_depth",
        "imbalance",
        "leakage",
        "learning_rate",
        "calibration",
    }


@every
def test_texts_are_whole_sentences(lesson: Lesson) -> None:
    assert lesson.question.endswith("?") and lesson.predict.endswith("?")
    for text in (
        lesson.setting,
        lesson.predict,
        lesson.runs,
        lesson.look,
        lesson.more,
        lesson.less,
        lesson.tied,
    ):
        assert text[0].isupper() and text[-1] in ".?" and "  " not in text
    assert lesson.icon.startswith(":material/") and lesson.icon.endswith(":")
    assert 5 <= lesson.minutes <= 45


@every
def test_predictions_cover_every_outcome_once(lesson: Lesson) -> None:
    assert len(set(lesson.options)) == len(lesson.options) == len(lesson.bounds) + 1
    assert list(lesson.bounds) == sorted(set(lesson.bounds))
    for place, bound in enumerate(lesson.bounds):
        assert lesson.option(bound - 1e-6) == place
        assert lesson.option(bound) == place + 1


@every
def test_settings_exist_and_a_card_stands_where_nothing_runs(lesson: Lesson, data: Dataset) -> None:
    assert lesson.sample in SAMPLES
    assert lesson.card is None or lesson.card in PITFALLS
    assert lesson.experiment or (lesson.card and PITFALLS[lesson.card].sample == lesson.sample)
    asked = jobs(lesson, data, ROW, ROW.weights.sha256)
    assert len({job.same for job in asked}) == len(lesson.experiment)
    steps = 0
    for part, job in zip(lesson.experiment, asked, strict=True):
        assert isinstance(part, Preset) and set(part.strategies) <= set(STRATEGIES)
        again = msgspec.json.decode(msgspec.json.encode(job.config), type=ComparisonConfig)
        assert again == job.config
        assert job.config.class_balance == part.class_balance
        assert (job.config.data.probe is not None) == lesson.source_images
        assert bool(job.config.class_map) == ("zero_shot" in part.strategies)
        budget = limits(job.config, ROW.preprocessing.crop)
        runs = planned_runs(job.config.strategies, job.config.seeds, budget, True)
        steps += sum(run.steps or 0 for run in runs)
    # A default comparison of this model, which takes a minute or two on two cores, has 1,200.
    assert steps <= 1000


@each_run
def test_commands_say_what_the_lesson_runs(lesson: Lesson) -> None:
    for part, line in zip(lesson.experiment, commands(lesson), strict=True):
        options = parser().parse_args(shlex.split(line)[3:])
        assert options.data == f"sample:{lesson.sample}"
        assert options.strategies == ",".join(part.strategies)
        assert (options.steps, options.learning_rate) == (part.steps, part.learning_rate)
        assert compare_command.request(options).class_balance == part.class_balance
        assert (options.source_probe is None) == lesson.source_images


def measured(lesson: Lesson, accuracies: Sequence[float], seed: int = 100) -> list[Record]:
    """A record for every part; strategies of all parts have these accuracies in turn."""
    found, place = [], 0
    for part in lesson.experiment:
        correct = {}
        for name in part.strategies:
            accuracy = accuracies[place % len(accuracies)]
            correct[name] = hits(
                accuracy, seed + place * (len(accuracies) > 1), seeds=1, images=300
            )
            place += 1
        extra = {"source_predictions": tuple(range(100)), "train_accuracy": 1.0}
        facts = {"source": source([True] * 100)} if lesson.source_images else {}
        found.append(comparison(correct, results=extra, **facts))
    return found


@each_run
def test_no_winner_is_claimed_where_all_are_alike(lesson: Lesson) -> None:
    # The simulated runs state a confidence of 0.9, so that this is also well calibrated.
    shown = reveal(lesson, measured(lesson, [0.9]))
    assert shown.measure.low <= 0 <= shown.measure.high
    assert not shown.shown
    assert lesson.conclusion(shown.measure) == lesson.tied
    assert not WINNING.search(shown.sentence.replace("Best minus worst", ""))


@every
def test_what_is_said_depends_on_the_interval_alone(lesson: Lesson) -> None:
    for low, high, said in ((0.1, 9.0, "more"), (-9.0, -0.1, "less"), (-0.1, 9.0, "tied")):
        estimate = Estimate(value=(low + high) / 2, low=low, high=high)
        assert lesson.conclusion(estimate) == getattr(lesson, said)
    assert lesson.conclusion(Estimate(value=0.0, low=0.0, high=0.0)) == lesson.tied
    assert not WINNING.search(lesson.tied)
    assert not re.search(r"\d", lesson.more + lesson.less)


@each_run
def test_without_a_result_it_says_so(lesson: Lesson) -> None:
    with pytest.raises(NotMeasured):
        reveal(lesson, [])


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("few_labels", "feature_extraction", "from_scratch"),
        ("negative_transfer", "from_scratch", "feature_extraction"),
        ("freezing_depth", "full_fine_tuning", "feature_extraction"),
    ],
)
def test_the_measure_is_the_paired_difference(name: str, first: str, second: str) -> None:
    lesson = LESSONS[name]
    (found,) = measured(lesson, [0.5, 0.7, 0.9])
    shown = reveal(lesson, [found])
    share = {one: np.mean([_right(found, one)]) for one in (first, second)}
    assert shown.measure.value == pytest.approx(100 * (share[first] - share[second]))
    assert shown.shown
    assert "tied" not in shown.sentence
    asked = {s for part in lesson.experiment for s in part.strategies}
    assert {dot.strategy for dot in shown.dots if dot.strategy} == asked


def _right(found: Record, strategy: str) -> float:
    (ended,) = found.final(strategy).values()
    return float(np.mean(np.equal(ended.result.test_predictions, ended.result.test_labels)))


def test_forgetting_says_whether_anything_was_gained_for_it() -> None:
    lesson = LESSONS["forgetting"]
    same = hits(0.9, 1, seeds=1)
    lost = {"source_predictions": tuple(n if n < 60 else -1 for n in range(100))}
    both = {"feature_extraction": same, "full_fine_tuning": same}
    found = comparison(both, results=lost, source=source([True] * 100))
    shown = reveal(lesson, [found])
    assert shown.measure.value == pytest.approx(40.0)
    assert "On the new images that is no measurable gain: 0.0 points" in shown.sentence


def test_imbalance_needs_both_sides_and_tells_the_change_of_balanced_accuracy() -> None:
    lesson = LESSONS["imbalance"]
    labels = np.repeat([0, 1], [160, 40])
    plain = (labels == 0).astype(float)[None]
    weighed = np.ones((1, 200))
    sides = [comparison({"feature_extraction": side}, labels) for side in (plain, weighed)]
    shown = reveal(lesson, sides)
    assert shown.measure.value == pytest.approx(50.0)
    assert "from 50.0% to 100.0%" in shown.sentence
    with pytest.raises(NotMeasured, match="Both"):
        reveal(lesson, sides[:1])


@every
def test_the_page_of_lessons_has_a_paragraph_for_each(lesson: Lesson) -> None:
    paragraph = PAGE.split(f"### {lesson.title} (`{lesson.name}`)\n")
    assert len(paragraph) == 2
    body = paragraph[1].split("\n### ")[0]
    assert lesson.question in body
    assert f"?lesson={lesson.name}" in body
    assert all(line in body for line in commands(lesson))


def test_no_lesson_is_documented_that_does_not_exist() -> None:
    assert set(re.findall(r"^### .+ \(`(\w+)`\)$", PAGE, re.M)) == set(LESSONS)
