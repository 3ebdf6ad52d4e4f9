"""Attributes that every image has: light, size, background, sharpness, shape."""

from tl_core.image_facts import ATTRIBUTES, Facts
from tl_core.slices.judging import Attribute


def automatic(facts: Facts) -> tuple[Attribute, ...]:
    """Return the attributes that divide the images: those with one value for all are left out."""
    divided = {name: one.divide(facts) for name, one in ATTRIBUTES.items()}
    return tuple(
        Attribute(name, ATTRIBUTES[name].title, categories.labels)
        for name, categories in divided.items()
        if len(categories.names) > 1
    )
