"""Is my data sound, and is it like the source? Checks on images and their features."""

from collections.abc import Iterator, Mapping
from typing import Any

from tl_core import checks, datasets, domain
from tl_core.activations import ReadOut
from tl_core.answers import Distance, Soundness
from tl_core.config import ComparisonConfig
from tl_core.events import Answered, Event, Progress
from tl_core.image_facts import open_facts
from tl_core.materials import open_materials
from tl_core.questions.looks import data_fault


def check(config: ComparisonConfig, request: Mapping[str, Any]) -> Iterator[Event]:
    """Yield progress, then the `Soundness` of a data set as the configured model sees it."""
    materials = yield from open_materials(config)
    dataset, probe = materials.dataset, materials.probe
    facts = yield from open_facts(dataset)
    yield Progress(message="Comparing the images with each other")
    found = checks.findings(
        dataset,
        facts,
        materials.read_out.features,
        datasets.split(dataset, 0),
        materials.row.preprocessing.resize,
    )
    distances: tuple[Distance, ...] = ()
    if probe is not None:
        yield Progress(message="Comparing the images with the source images")
        distances = _distances(probe.read_out, materials.read_out)
    yield Answered(
        answer=Soundness(
            images=len(dataset.images),
            mismatch=data_fault(materials),
            findings=tuple(found),
            source=probe.name if probe else None,
            source_images=len(probe.labels) if probe else 0,
            distances=distances,
        )
    )


def _distances(source: ReadOut, target: ReadOut) -> tuple[Distance, ...]:
    """Return the distances between features; none where there are too few images for any."""
    try:
        found = domain.compare_domains(source.features, target.features)
    except ValueError:
        return ()
    return tuple(
        Distance(
            name=one.name,
            title=one.title,
            value=one.value,
            null_low=one.null_low,
            null_high=one.null_high,
            p=one.p,
        )
        for one in found
    )
