"""The claims of the sample sets are functions of what was measured: they can fail."""

import numpy as np
import pytest
from msgspec.structs import replace

from benchmarks import sample_lessons
from benchmarks.lessons import FROZEN, FULL, LESSONS, SCRATCH, Measured, measured
from benchmarks.rows import inserted
from tests import factories
from tl_core import ingest
from tl_core.config import ComparisonConfig
from tl_core.ingest import SAMPLES
from tl_core.ingest.samples import leak
from tl_core.record import Record, record
from tl_core.strategies import STRATEGIES
from tl_core.tables import StrategyRow

IMAGES = 400
MARKS = (sample_lessons.BEGIN, sample_lessons.END)


def hits(share: float, seed: int, images: int = IMAGES) -> np.ndarray:
    """Three seeds x images, right with this chance."""
    return (np.random.default_rng(seed).random((3, images)) < share).astype(float)


def found(
    correct: dict[str, np.ndarray],
    labels: np.ndarray | None = None,
    names: tuple[str, ...] = (),
    majority: float = 0.125,
    **rows: dict,
) -> Measured:
    """What a comparison with these hits would have measured; `rows`: further values."""
    config: ComparisonConfig = factories.comparison_config(strategies=tuple(STRATEGIES.values()))
    started = factories.comparison_started(config, majority_accuracy=majority)
    table = {}
    for name, values in correct.items():
        accuracy = float(values.mean())
        fields = {
            "test_accuracy": accuracy,
            "ci_low": accuracy - 0.03,
            "ci_high": accuracy + 0.03,
            "tied_with_best": accuracy >= max(v.mean() for v in correct.values()) - 0.01,
            **rows.get(name, {}),
        }
        table[name] = StrategyRow(strategy=name, applicable=True, seeds=3, **fields)
    labels = np.zeros(IMAGES, dtype=np.int64) if labels is None else labels
    return Measured(Record(started=started), table, correct, labels, names)


def verdicts(name: str, what: Measured) -> list[bool]:
    return [claim.holds for claim in LESSONS[name](what)]


def test_every_sample_has_its_claims():
    assert list(LESSONS) == list(SAMPLES)


@pytest.mark.parametrize(
    ("zero", "frozen", "full", "forgot", "expected"),
    [
        (0.6, 0.9, 0.8, 5.0, [True, True, True, True]),
        (0.1, 0.9, 0.8, 5.0, [False, True, True, True]),
        (0.6, 0.8, 0.95, -0.5, [True, False, False, False]),
    ],
)
def test_signs(zero, frozen, full, forgot, expected):
    forgetting = {"forgetting_points": forgot + 1, "forgetting_low": forgot, "forgetting_high": 9.0}
    correct = {"zero_shot": hits(zero, 0), FROZEN: hits(frozen, 1), FULL: hits(full, 2)}
    assert verdicts("signs", found(correct, **{FULL: forgetting})) == expected


def test_signs_claim_no_gain_only_where_a_gain_would_have_been_seen():
    """Two coins: their difference contains 0, and so much else that nothing is shown."""
    forgetting = {"forgetting_points": 6.0, "forgetting_low": 5.0, "forgetting_high": 9.0}
    correct = {"zero_shot": hits(0.4, 0), FROZEN: hits(0.5, 1), FULL: hits(0.5, 2)}
    assert not verdicts("signs", found(correct, **{FULL: forgetting}))[3]


def test_threads_need_a_difference_that_intervals_see():
    even = {FROZEN: hits(0.8, 0), SCRATCH: hits(0.8, 1)}
    assert verdicts("threads", found(even)) == [False]
    assert verdicts("threads", found({**even, FROZEN: hits(0.5, 9)})) == [True]


@pytest.mark.parametrize(
    ("zero", "frozen", "seconds", "expected"),
    [
        (0.5, 0.9, 1.0, [True, True, True]),
        (0.1, 0.9, 90.0, [False, True, False]),
        (0.7, 0.7, 1.0, [True, False, False]),
    ],
)
def test_digits(zero, frozen, seconds, expected):
    correct = {"zero_shot": hits(zero, 0), FROZEN: hits(frozen, 1), SCRATCH: hits(0.9, 2)}
    times = {FROZEN: {"train_seconds": seconds}, SCRATCH: {"train_seconds": 60.0}}
    assert verdicts("digits", found(correct, **times)) == expected


def test_defects_compare_images_with_classes():
    labels = np.repeat([0, 1], [300, 100])
    lopsided = np.tile(np.where(labels == 0, 1.0, 0.3), (3, 1))
    fair = np.full((3, IMAGES), 0.8)
    balance = {"balanced_accuracy": 0.65}
    rows = dict.fromkeys((FROZEN, FULL, SCRATCH), balance)
    correct = {FROZEN: lopsided, FULL: fair, SCRATCH: lopsided}
    what = found(correct, labels, majority=0.75, **rows)
    assert verdicts("defects", what) == [True, True, False, True]
    assert verdicts("defects", found(correct, labels, majority=0.25, **rows))[0] is False
    assert "+17.5 (" in LESSONS["defects"](what)[1].measured


def test_leak_compares_repeated_images_with_new_ones():
    again = {second for _, second in leak.planted().twice if second.startswith("test/")}
    names = (*sorted(again), *(f"test/new/{i}.png" for i in range(IMAGES - len(again))))
    repeated = np.array([name in again for name in names])
    inflated = np.where(repeated, hits(0.97, 1), hits(0.7, 2))
    what = found({FROZEN: inflated, FULL: hits(0.7, 3)}, names=names)
    assert verdicts("leak", what) == [True, True, False]
    assert f"of them {len(again)} in the test part" in LESSONS["leak"](what)[0].measured


def test_a_record_is_read_for_the_claims(home, picture_folder):
    dataset = ingest.ingest_path(picture_folder)
    strategies = tuple(STRATEGIES[name] for name in (FROZEN, SCRATCH))
    config = factories.comparison_config(strategies=strategies)
    facts = factories.comparison_started(config).dataset
    facts = replace(facts, fingerprint=dataset.fingerprint)
    events = [factories.comparison_started(config, dataset=facts)]
    for strategy in strategies:
        ended = factories.run_ended(strategy.name)
        events.append(replace(ended, run=replace(ended.run, strategy=strategy)))
    what = measured(record(events))
    assert what.names == tuple(dataset.images[i].name for i in (0, 1))
    assert {values.shape for values in what.correct.values()} == {(1, 2)}
    text, holds = sample_lessons.report({"threads": what}, {"threads": 61.0})
    assert not holds
    assert "| `threads` | Training from scratch is better than the frozen backbone |" in text
    assert "| Feature extraction | 100.0% (" in text
    assert "| Zero-shot transfer | – |" in text


def test_tables_go_between_the_marks():
    page = f"before\n{sample_lessons.BEGIN}\nold\n{sample_lessons.END}\nafter\n"
    written = inserted(page, "| new |", *MARKS)
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    assert "old" not in written
    assert "| new |" in written
    assert inserted(written, "| new |", *MARKS) == written
    with pytest.raises(ValueError, match="lacks the marks"):
        inserted("before", "x", *MARKS)
