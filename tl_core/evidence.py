"""All that this machine knows of a comparison, for its flags: answers, groups of images, its data.

What was asked of the same images and the same model counts, whenever it was asked.
"""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from tl_core import datasets, image_facts, ingest
from tl_core.answers import Question, Soundness, Stress
from tl_core.config import ComparisonConfig
from tl_core.datasets import Dataset
from tl_core.events import Answered
from tl_core.flags import Evidence
from tl_core.limits import BadInput
from tl_core.record import Record
from tl_core.slices import Attribute, automatic
from tl_core.store import AnyStore, Comparison
from tl_core.tables import StrategyRow

# Older jobs than these are not looked through for an answer.
LOOK_BACK: Final = 100

Kind = TypeVar("Kind", Soundness, Stress)


def gathered(
    store: AnyStore,
    found: Record,
    rows: Sequence[StrategyRow],
    attributes: Sequence[Attribute] | None = None,
) -> Evidence:
    """Return the evidence on a comparison that has started.

    `attributes` divide its images into groups; None for those that were measured on them.
    """
    assert found.started is not None
    config = found.started.config
    if attributes is None:
        attributes = measured_attributes(data_of(config))
    return Evidence(
        found,
        rows,
        _answer(store, "check", Soundness, config),
        _answer(store, "stress", Stress, config),
        attributes,
    )


def jobs_about(store: AnyStore, kind: Question, config: ComparisonConfig) -> Iterator[Comparison]:
    """Yield answered questions about the same data, source images, model and weights, newest first.

    The device does not count: in one of the two it may not be resolved.
    """
    for job in store.list(limit=LOOK_BACK, kind=kind):
        if job.status == "done" and job.config is not None and _about(job.config) == _about(config):
            yield job


def data_of(config: ComparisonConfig) -> Dataset | None:
    """Return the data set of a comparison, None if it is no longer on this machine."""
    try:
        return datasets.load(config.data.fingerprint)
    except BadInput:
        return None


def findable(data: Dataset | None) -> str | None:
    """Return how a data set is called on any machine, None for one that only this one has."""
    name = ingest.sample_name(data) if data is not None else None
    return f"{ingest.SAMPLE_PREFIX}{name}" if name else None


def measured_attributes(data: Dataset | None) -> tuple[Attribute, ...]:
    """Return what was measured on a data set's images; nothing is measured for it."""
    facts = image_facts.known_facts(data) if data is not None else None
    return automatic(facts) if facts is not None else ()


def _answer(
    store: AnyStore, kind: Question, answered: type[Kind], config: ComparisonConfig
) -> Kind | None:
    for job in jobs_about(store, kind, config):
        for _, event in store.events(job.id):
            if isinstance(event, Answered) and isinstance(event.answer, answered):
                return event.answer
    return None


def _about(config: ComparisonConfig) -> tuple[str | None, ...]:
    return (config.data.fingerprint, config.data.probe, config.backbone, config.weights_sha256)
