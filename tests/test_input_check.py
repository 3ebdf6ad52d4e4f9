"""Noticing images that reach a network in another way than its weights were trained for."""

import numpy as np
import pytest
import torch

from tl_core import input_check
from tl_core.catalog import catalog
from tl_core.preprocessing import normalise

MODELS = {row.preprocessing.mean: row.preprocessing for row in catalog().values()}


def pictures(low: int = 0, high: int = 255) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    values = torch.randint(low, high + 1, (4, 3, 16, 16), generator=generator)
    values[0, :, 0, 0], values[1, :, 0, 0] = low, high
    return values.to(torch.uint8)


@pytest.mark.parametrize("wanted", MODELS.values())
def test_right_values_pass_and_wrong_ones_are_named(wanted):
    given = pictures()
    right = input_check.input_values(iter([normalise(given, wanted)]))
    assert input_check.range_fault(right, wanted) == ""
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (wanted.mean, wanted.std))
    large = input_check.input_values(iter([(given.float() - mean) / std]))
    assert "divided by 255" in input_check.range_fault(large, wanted)
    raw = input_check.input_values(iter([given.float() / 255]))
    assert "not applied" in input_check.range_fault(raw, wanted)


def test_dim_images_that_still_hold_black_are_no_fault():
    wanted = catalog()["squeezenet1_1"].preprocessing
    dim = input_check.input_values(iter([normalise(pictures(0, 90), wanted)]))
    assert input_check.range_fault(dim, wanted) == ""


def test_values_are_those_of_all_batches():
    batches = [torch.full((2, 3, 4, 4), -1.0), torch.full((6, 3, 4, 4), 3.0)]
    found = input_check.input_values(iter(batches))
    assert (found.low, found.high) == (-1.0, 3.0)
    assert found.mean == pytest.approx(2.0)
    assert found.std == pytest.approx(torch.cat(batches).std(correction=0).item())


def test_swapped_channels_are_noticed_only_when_the_gain_is_sure():
    rng = np.random.default_rng(0)
    given = rng.normal(12, 3, 150)
    clear = input_check.familiarity_gain(given, given + rng.normal(1.0, 1.5, 150))
    assert clear.low > 0
    assert "BGR" in input_check.order_fault(clear)
    faint = input_check.familiarity_gain(given, given + rng.normal(0.2, 1.5, 150))
    assert input_check.order_fault(faint) == ""
    worse = input_check.familiarity_gain(given, given - 1)
    assert input_check.order_fault(worse) == ""


def test_greyscale_and_few_images_have_no_channel_order_to_judge():
    given = np.arange(50.0)
    assert input_check.familiarity_gain(given, given) is None
    assert input_check.familiarity_gain(given[:19], given[:19] * 2) is None
    assert input_check.order_fault(None) == ""
