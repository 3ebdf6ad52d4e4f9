"""Every pitfall is complete: texts, predictions, an experiment that can run, and its paragraph."""

import shlex
from pathlib import Path

import msgspec
import pytest

from benchmarks import pitfalls as benchmark
from tests import replies
from tl_core import catalog, compare_command, ingest
from tl_core.answers import QUESTIONS, Estimate
from tl_core.cli import parser
from tl_core.config import ComparisonConfig
from tl_core.datasets import Dataset
from tl_core.ingest import SAMPLES
from tl_core.outcomes import OUTCOMES
from tl_core.pitfall_jobs import PitfallJob, commands, jobs
from tl_core.pitfalls import PITFALLS, Asked, Pitfall, Preset
from tl_core.plans import limits, planned_runs
from tl_core.sameness import identity
from tl_core.strategies import STRATEGIES
from tl_core.variants import VARIANTS
from tl_core.weights import FIRST_MODEL

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "pitfalls.md").read_text(encoding="utf-8")
ROW = catalog.find(FIRST_MODEL)

every = pytest.mark.parametrize("pitfall", PITFALLS.values(), ids=lambda one: one.name)


@pytest.fixture
def data(sampled_home: Path) -> Dataset:
    """The first sample set."""
    return ingest.sample(next(iter(SAMPLES)))


def test_the_failures_that_are_taught() -> None:
    assert (
        set(PITFALLS)
        == set(OUTCOMES)
        == {
            "negative_transfer",
            "forgetting",
            "preprocessing",
            "label_shift",
            "overconfidence",
            "overfitting",
            "domain_mismatch",
            "source_bias",
            "licences",
            "modality",
            "duplicates",
            "sensitivity",
        }
    )


@every
def test_texts_are_whole_sentences(pitfall: Pitfall) -> None:
    assert pitfall.question.endswith("?")
    for text in (
        pitfall.setting,
        pitfall.predict,
        pitfall.runs,
        pitfall.here,
        pitfall.what,
        pitfall.recognise,
        pitfall.remedy,
    ):
        assert text[0].isupper() and text[-1] in ".?" and "  " not in text
    assert pitfall.icon.startswith(":material/") and pitfall.icon.endswith(":")


@every
def test_predictions_cover_every_outcome_once(pitfall: Pitfall) -> None:
    assert 3 <= len(pitfall.options) <= 4
    assert len(set(pitfall.options)) == len(pitfall.options) == len(pitfall.bounds) + 1
    assert list(pitfall.bounds) == sorted(set(pitfall.bounds))
    for place, bound in enumerate(pitfall.bounds):
        assert pitfall.option(bound - 1e-6) == place
        assert pitfall.option(bound) == place + 1


@every
def test_a_guess_is_right_not_excluded_or_wrong(pitfall: Pitfall) -> None:
    first, second = pitfall.bounds[:2]
    inside = (first + second) / 2
    sure = Estimate(value=inside, low=inside, high=inside)
    wide = Estimate(value=inside, low=first - 1, high=inside)
    assert [pitfall.judge(place, sure) for place in (0, 1, 2)] == ["wrong", "right", "wrong"]
    assert [pitfall.judge(place, wide) for place in (0, 1, 2)] == [
        "not excluded",
        "right",
        "wrong",
    ]


@every
def test_its_experiment_can_be_asked_for(pitfall: Pitfall, data: Dataset) -> None:
    assert pitfall.sample in SAMPLES
    asked = jobs(pitfall, data, ROW, ROW.weights.sha256)
    assert len(asked) == len(pitfall.experiment)
    for part, job in zip(pitfall.experiment, asked, strict=True):
        encoded = msgspec.json.encode(job.config)
        assert msgspec.json.decode(encoded, type=ComparisonConfig) == job.config
        assert (job.config.data.probe is not None) == pitfall.source_images
        if isinstance(part, Asked):
            assert job.kind == part.kind in QUESTIONS
            assert set(part.request.get("variants", ())) <= set(VARIANTS)
        else:
            assert set(part.strategies) <= set(STRATEGIES)
            budget = limits(job.config, ROW.preprocessing.crop)
            mapped = bool(job.config.class_map)
            assert mapped == ("zero_shot" in part.strategies)
            runs = list(planned_runs(job.config.strategies, job.config.seeds, budget, mapped))
            trained = [run.steps for run in runs if run.steps is not None]
            # One training of each strategy, none longer than was measured to fit half a minute.
            assert len(runs) == len(part.strategies) * part.seeds
            assert sum(trained) <= 200


@every
def test_commands_say_what_the_card_runs(pitfall: Pitfall) -> None:
    lines = commands(pitfall)
    assert len(lines) == len(pitfall.experiment)
    for part, line in zip(pitfall.experiment, lines, strict=True):
        options = parser().parse_args(shlex.split(line)[3:])
        assert options.data == f"sample:{pitfall.sample}"
        assert (options.source_probe is None) == pitfall.source_images
        if isinstance(part, Preset):
            assert options.strategies == ",".join(part.strategies)
            assert (options.steps, options.learning_rate) == (part.steps, part.learning_rate)
            assert compare_command.request(options).seeds == part.seeds
        else:
            assert options.command == part.kind
            wanted = ",".join(part.request.get("variants", ()))
            assert (getattr(options, "variants", None) or "") == wanted


@every
def test_the_page_of_pitfalls_tells_how_it_was_measured(pitfall: Pitfall) -> None:
    assert PAGE.count(f"### {pitfall.title}\n") == 1
    assert f"| {pitfall.title} | " in PAGE
    assert all(line in PAGE for line in commands(pitfall))
    assert (ROOT / "docs" / f"pitfall-{pitfall.name}.png").is_file()
    assert benchmark.BEGIN in PAGE and benchmark.END in PAGE


def test_a_job_is_known_again_on_whatever_device_it_ran(data: Dataset) -> None:
    (job,) = jobs(PITFALLS["negative_transfer"], data, ROW, ROW.weights.sha256)
    ran = msgspec.structs.replace(job.config, device="cpu", precision="bfloat16", threads=2)
    assert identity("compare", ran, {}) == job.same
    longer = msgspec.structs.replace(ran, steps=7)
    other = msgspec.structs.replace(ran.data, fingerprint="0" * 64)
    for changed in (longer, msgspec.structs.replace(ran, data=other)):
        assert identity("compare", changed, {}) != job.same
    assert PitfallJob("stress", job.config, {"variants": ["bgr"]}).same != job.same


def test_the_measured_page_has_a_row_and_a_paragraph_for_a_card() -> None:
    pitfall = PITFALLS["preprocessing"]
    showed = OUTCOMES["preprocessing"]([replies.stress()])
    text = benchmark.report({pitfall.name: benchmark.Measured(12.3, 20.4, showed)}, 0.5)
    assert f"| {pitfall.title} | 12 | 20 | {pitfall.options[0]} | **no** |" in text
    assert f"### {pitfall.title}" in text and commands(pitfall)[0] in text
