"""Heat maps: the class-activation map where one is defined, and some map for every model."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from tl_core.adapted import Adapted, ClassMapHead, LinearHead
from tl_core.backbones import build
from tl_core.catalog import catalog
from tl_core.heat_maps import heat_map, heat_maps

# One model of each family: layouts and pooling differ between families alone.
FAMILIES = {row.family: name for name, row in reversed(catalog().items())}


def adapted(model: str, classes: int = 3) -> Adapted:
    row = catalog()[model]
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(classes, row.feature_size, generator=generator)
    backbone = build(row, None, seed=1).eval()
    return Adapted(backbone, LinearHead(weight, torch.zeros(classes)))


def image(model: str, seed: int = 0) -> torch.Tensor:
    side = catalog()[model].preprocessing.crop
    coarse = torch.randn(1, 3, 7, 7, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, side, mode="bilinear")


def test_a_linear_layer_on_averages_gets_the_class_activation_map():
    """Zhou et al. 2016: the last maps, weighed by the class's weights."""
    model = adapted("resnet18")
    x = image("resnet18")
    with torch.no_grad():
        maps = model.backbone.forward_blocks(x)[0]
    for target in range(3):
        wanted = torch.einsum("c,chw->hw", model.head.weight[target], maps).relu()
        wanted = torch.nn.functional.interpolate(
            wanted[None, None], x.shape[-1], mode="bilinear", align_corners=False
        )[0, 0]
        torch.testing.assert_close(
            heat_map(model, x, target), wanted / wanted.max(), rtol=1e-4, atol=1e-4
        )


@pytest.mark.parametrize("model", sorted(FAMILIES.values()))
def test_every_family_has_maps_that_tell_classes_apart(model):
    found = [heat_map(adapted(model), image(model), target) for target in range(3)]
    side = catalog()[model].preprocessing.crop
    for one in found:
        assert one.shape == (side, side)
        assert float(one.min()) >= 0
        assert float(one.max()) in (0.0, pytest.approx(1.0))
    assert any(float(one.max()) > 0 for one in found)
    assert not torch.equal(found[0], found[1])


def test_the_weights_stay_without_gradients():
    model = adapted("resnet18")
    heat_map(model, image("resnet18"), 0)
    assert all(p.grad is None for p in model.backbone.parameters())


def test_a_class_map_is_explained_by_its_source_classes():
    name = "resnet10_procedural"
    head = ClassMapHead({"a": (3, 4), "b": (50,)}, ("a", "b"), 109)
    model = Adapted(build(catalog()[name], None, seed=1).eval(), head)
    assert float(heat_map(model, image(name), 0).max()) == pytest.approx(1.0)


def test_pictures_are_large_enough_to_be_looked_at():
    model = "resnet10_procedural"
    side = catalog()[model].preprocessing.crop
    crop = torch.randint(0, 256, (1, 3, side, side), dtype=torch.uint8)
    (png,) = heat_maps(adapted(model), crop, [1], catalog()[model].preprocessing)
    with Image.open(io.BytesIO(png)) as found:
        assert min(found.size) >= 192
        assert np.asarray(found).std() > 0
