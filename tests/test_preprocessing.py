import pytest
import torch
from PIL import Image
from torchvision.models import get_model_weights

from tl_core import preprocessing
from tl_core.catalog import catalog

ROWS = [row for row in catalog().values() if not row.weights.drawn]


def photograph(width: int, height: int) -> torch.Tensor:
    """A smooth random picture, 3 x height x width, uint8."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, 9, 9, generator=generator)
    fine = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")
    return (fine.clamp(0, 1)[0] * 255).to(torch.uint8)


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_evaluation_is_what_the_weights_expect(row):
    """Against torchvision's own transform on the same photograph, through Pillow."""
    image = photograph(300, 400)
    weights = get_model_weights(row.name)[row.weights.name]
    expected = weights.transforms()(Image.fromarray(image.permute(1, 2, 0).numpy()))
    found = preprocessing.evaluation_input(image, row.preprocessing)[0]
    assert found.shape == expected.shape
    # Pillow and torch round resized pixels differently by at most one or two levels of 255.
    assert (found - expected).abs().max() < 2.5 / 255 / min(row.preprocessing.std)
    assert (found - expected).abs().mean() < 0.5 / 255 / min(row.preprocessing.std)


def test_crop_and_normalisation_equal_the_steps_by_hand():
    row = catalog()["resnet18"]
    image = photograph(256, 320)
    by_hand = image[:, 48:272, 16:240].float() / 255
    mean, std = (
        torch.tensor(v).view(3, 1, 1) for v in (row.preprocessing.mean, row.preprocessing.std)
    )
    found = preprocessing.evaluation_input(image, row.preprocessing)[0]
    assert torch.allclose(found, (by_hand - mean) / std, atol=1e-6)


def test_the_bundled_model_gets_its_own_size_and_scale():
    row = next(row for row in catalog().values() if row.weights.drawn)
    image = photograph(64, 64)
    found = preprocessing.evaluation_input(image, row.preprocessing)[0]
    assert torch.allclose(found, (image.float() / 255 - 0.5) / 0.25, atol=1e-6)


@pytest.mark.parametrize("size", [(40, 4000), (4000, 40), (1, 1), (500, 500)])
def test_extreme_shapes_become_network_input(size):
    row = catalog()["resnet18"]
    image = photograph(*size)
    assert preprocessing.evaluation_input(image, row.preprocessing).shape == (1, 3, 224, 224)
    resized = preprocessing.resize(image, row.preprocessing)
    assert max(resized.shape[1:]) <= 3 * 256 + 3
    crop = preprocessing.augmented_crop(resized, row.preprocessing, torch.Generator(), True)
    assert crop.shape == (3, 224, 224)


def test_augmentation_repeats_with_its_generator_and_mirrors_only_when_allowed():
    row = catalog()["resnet18"]
    image = preprocessing.resize(photograph(300, 300), row.preprocessing)

    def crops(mirror: bool, seed: int = 3) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return torch.stack(
            [
                preprocessing.augmented_crop(image, row.preprocessing, generator, mirror)
                for _ in range(8)
            ]
        )

    assert torch.equal(crops(True), crops(True))
    assert not torch.equal(crops(True), crops(True, seed=4))
    ramp = torch.arange(256, dtype=torch.uint8).expand(3, 256, 256)
    rising = []
    for mirror in (False, True):
        generator = torch.Generator().manual_seed(0)
        found = [
            preprocessing.augmented_crop(ramp, row.preprocessing, generator, mirror)
            for _ in range(30)
        ]
        rising.append(sum(bool(c[0, 0, -1] > c[0, 0, 0]) for c in found))
    assert rising[0] == 30
    assert 5 < rising[1] < 25
