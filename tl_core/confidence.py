"""Can a strategy's confidence be believed? Calibration before and after a temperature.

The temperature comes from each seed's own validation images, all else from the test images of all
seeds together: intervals are over images and seeds, an image drawn twice counts in every seed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tl_core import calibration, metrics, pairing, predictions, stats
from tl_core.calibration import ReliabilityBin
from tl_core.events import RunEnded
from tl_core.record import Record
from tl_core.stats import Interval, Matrix
from tl_core.strategies import Strategy

# Draws of what a calibrated model would show.
DRAWS, PART = 500, 50

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """How far confidence and accuracy lie apart on test images (fractions; log-loss in nats).

    `if_calibrated`: the expected calibration error that a calibrated model with these confidences
    stays under in 95 of 100 cases. `signed_gap`: mean confidence minus accuracy, above 0 too sure.
    """

    expected_calibration_error: Interval
    if_calibrated: float
    signed_gap: Interval
    log_loss: Interval
    brier: Interval


@dataclass(frozen=True)
class ConfidenceRow:
    """A strategy's calibration as it is, and after dividing its logits by `temperature`.

    The temperature is the geometric mean over seeds; each seed uses its own.
    """

    strategy: str
    temperature: float
    before: Calibration
    after: Calibration


def confident(found: Record) -> list[Strategy]:
    """Return the strategies whose confidence means something: they have a word for every class.

    Zero-shot transfer shares its certainty among the classes that are mapped; with one of them it
    is always certain.
    """
    lacking = bool(found.started and found.started.unmapped_classes)
    return [s for s in found.strategies if s.solver != "none" or not lacking]


def confidence_rows(found: Record) -> list[ConfidenceRow]:
    """Return the rows of all `confident` strategies whose probabilities were kept."""
    rows = []
    for strategy in confident(found):
        runs = found.final(strategy.name)
        temperatures = {seed: _temperature(run) for seed, run in runs.items()}
        known = {seed: t for seed, t in temperatures.items() if t is not None}
        before = _calibration(found, strategy.name, {})
        after = _calibration(found, strategy.name, known)
        if known and before is not None and after is not None:
            mean = float(np.exp(np.mean(np.log(list(known.values())))))
            rows.append(ConfidenceRow(strategy.name, mean, before, after))
    return rows


def diagram(found: Record, strategy: str, scaled: bool = False) -> list[ReliabilityBin]:
    """Return the bins of a strategy's reliability diagram, over all seeds.

    `scaled`: after each seed's temperature. Intervals count an image once, however many seeds
    tested it. Empty where probabilities were not kept.
    """
    columns = _columns(found, strategy, scaled)
    if columns is None:
        return []
    confidences, hits = columns
    places = metrics.confidence_bin(np.nan_to_num(confidences))
    tested = ~np.isnan(confidences)
    made = []
    for one in calibration.reliability(confidences[tested], hits[tested]):
        here = tested & (places == metrics.confidence_bin([one.high - 1e-9])[0])
        images = int(here.any(axis=0).sum())
        share = one.accuracy.value
        interval = Interval(share, *stats.wilson(share, images))
        made.append(ReliabilityBin(one.low, one.high, one.confidence, interval, images))
    return made


def confidence_gaps(found: Record) -> dict[str, Matrix]:
    """Return confidence minus correctness, seeds x test images, of `confident` strategies."""
    gaps = {}
    for strategy in confident(found):
        columns = _columns(found, strategy.name, scaled=False)
        if columns is not None:
            gaps[strategy.name] = columns[0] - columns[1]
    return gaps


def _columns(found: Record, strategy: str, scaled: bool) -> tuple[Matrix, Matrix] | None:
    """Return confidences and hits, seeds x test images."""

    def confidences(ended: RunEnded) -> ArrayLike | None:
        logs = _log_probabilities(ended, _temperature(ended) if scaled else None)
        return None if logs is None else np.exp(logs.max(axis=1))

    given = pairing.matrix(found, strategy, confidences)
    hits = pairing.matrix(found, strategy)
    if given is None or hits is None:
        return None
    return given, np.where(np.isnan(given), np.nan, hits)


def _temperature(ended: RunEnded) -> float | None:
    known = predictions.validated(ended)
    if known is None or not len(known.labels):
        return None
    return calibration.fit_temperature(known.log_probabilities, known.labels)


def _log_probabilities(ended: RunEnded, temperature: float | None) -> Floats | None:
    tested = predictions.tested(ended)
    if tested is None:
        return None
    if temperature is None:
        return tested.log_probabilities
    return calibration.with_temperature(tested.log_probabilities, temperature)


def _calibration(
    found: Record, strategy: str, temperatures: dict[int, float]
) -> Calibration | None:
    """Return a strategy's calibration; `temperatures` by seed, none to take it as it is."""

    def column(measure: str) -> Matrix | None:
        return pairing.matrix(found, strategy, lambda run: _values(run, temperatures)[measure])

    if column("gap") is None:
        return None
    gap, confidence, loss, brier = (
        np.asarray(column(name)) for name in ("gap", "confidence", "loss", "brier")
    )
    kept = ~np.isnan(gap).all(axis=1)
    gap, confidence, loss, brier = gap[kept], confidence[kept], loss[kept], brier[kept]
    tested = (~np.isnan(gap)).astype(np.float64)
    members = np.eye(metrics.BINS)[metrics.confidence_bin(np.nan_to_num(confidence))]
    binned = np.moveaxis(members * np.nan_to_num(gap)[..., None], 2, 0)
    plain = np.nan_to_num(np.stack([gap, loss, brier]))
    sums = stats.bootstrap_sums(np.concatenate([tested[None], plain, binned]))
    weight = sums[:, 0]
    means = sums[:, 1:4] / weight[:, None]
    value = float(np.abs(binned.sum(axis=(1, 2))).sum() / tested.sum())
    null = _null(confidence, members)
    signed, losses, briers = (
        Interval(float(total / tested.sum()), *stats.ends(samples))
        for total, samples in zip(plain.sum(axis=(1, 2)), means.T, strict=True)
    )
    errors = np.abs(sums[:, 4:]).sum(axis=1) / weight
    error = stats.raised_interval(value, errors, null)
    return Calibration(error, null, signed, losses, briers)


def _values(ended: RunEnded, temperatures: dict[int, float]) -> dict[str, Floats | None]:
    """Return what a run says of each test image, by name."""
    logs = _log_probabilities(ended, temperatures.get(ended.run.seed))
    if logs is None:
        return dict.fromkeys(("gap", "confidence", "loss", "brier"))
    labels = np.array(ended.result.test_labels)
    given = np.exp(logs)
    confidences = np.minimum(given.max(axis=1), 1.0)
    return {
        "gap": metrics.confidence_gaps(confidences, logs.argmax(axis=1) == labels),
        "confidence": confidences,
        "loss": metrics.log_losses(given, labels),
        "brier": metrics.brier_scores(given, labels),
    }


def _null(confidences: Matrix, members: Floats) -> float:
    """Return the 95% quantile of a calibrated model's expected calibration error.

    Right is an image whose own chance lies below the confidence: seeds that share test images fail
    on the same ones, as real ones do, which leaves them more room than separate chances would.
    """
    rng = np.random.default_rng(0)
    tested = ~np.isnan(confidences)
    given = np.nan_to_num(confidences)
    flat = members.reshape(-1, members.shape[2])
    errors = []
    for _ in range(DRAWS // PART):
        chances = rng.random((PART, 1, given.shape[1]))
        gaps = (given - (chances < given)) * tested
        errors.append(np.abs(gaps.reshape(PART, -1) @ flat).sum(axis=1))
    return float(np.quantile(np.concatenate(errors), stats.LEVEL) / tested.sum())
