"""Which images of a data set show classes of a source task: forgetting is measured on these."""

from dataclasses import dataclass

from tl_core import catalog, class_map
from tl_core.catalog import Model
from tl_core.datasets import Dataset


@dataclass(frozen=True)
class SourceImages:
    """Images by index into the data set, and their source classes, in the order of a result."""

    places: tuple[int, ...]
    labels: tuple[int, ...]


def selected(dataset: Dataset, row: Model) -> SourceImages:
    """Return the images whose label is a class of this model's source task."""
    classes = catalog.source_classes(row.weights.source_classes)
    matched = class_map.match_source(dataset.classes, classes)
    found = [
        (place, index)
        for place, image in enumerate(dataset.images)
        if (index := matched.get(dataset.classes[image.label])) is not None
    ]
    return SourceImages(tuple(place for place, _ in found), tuple(index for _, index in found))
