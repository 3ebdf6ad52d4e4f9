"""Every catalog row against torchvision's own forward pass."""

import copy
import os
from pathlib import Path

import pytest
import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

from tl_core.backbones import CONSTRUCTORS, WIRING, build, construct, load_weights
from tl_core.catalog import catalog, data_file
from tl_core.layouts import BadWeights

ROWS = list(catalog().values())


@pytest.fixture(scope="module", params=ROWS, ids=lambda row: row.name)
def backbone(request):
    """Build each model once for all tests of this file; no test may change it."""
    return build(request.param, None, seed=1).eval()


@pytest.fixture(scope="module")
def small():
    return catalog()["squeezenet1_1"]


def images(count=2, size=224):
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(0))


def test_blocks_and_original_head_reproduce_torchvision_exactly(backbone):
    x = images()
    with torch.no_grad():
        expected = backbone.net(x)
        activation, seen = x, []
        for block in backbone.blocks:
            before = activation.clone()
            out = block.run(activation)
            seen.append(torch.equal(before, activation))
            activation = out
        kept = activation.clone()
        features = backbone.pool(activation)
        logits = backbone.source_logits(activation)
    assert torch.equal(logits, expected)
    assert features.shape == (2, backbone.feature_size)
    # Activations are cached and shared: neither block nor read-out may write into its input.
    assert all(seen)
    assert torch.equal(kept, activation)


def test_pooled_features_are_what_the_original_head_reads(backbone):
    read = []
    handle = backbone.source_head.register_forward_hook(lambda _, args, __: read.append(args[0]))
    with torch.no_grad():
        backbone.net(images(1))
        features = backbone(images(1))
    handle.remove()
    if backbone.row.family == "squeezenet":  # its head reads the map before pooling
        torch.testing.assert_close(features, read[0].mean(dim=(2, 3)))
    else:
        assert torch.equal(features, read[0])


def test_squeezenet_keeps_the_relu_of_its_original_head(small):
    backbone = build(small, None).eval()
    with torch.no_grad():
        final = backbone.forward_blocks(images(1, 96))
        assert (backbone.source_head(final) < 0).any()
        assert (backbone.source_logits(final) >= 0).all()


def test_a_split_pass_equals_a_whole_one(backbone):
    x = images(1)
    boundary = len(backbone.blocks) // 2
    with torch.no_grad():
        whole = backbone.forward_blocks(x)
        cached = backbone.forward_blocks(x, stop=boundary)
        assert torch.equal(backbone.forward_blocks(cached, start=boundary), whole)
        assert backbone.forward_blocks(x, stop=0) is x


def test_every_parameter_is_in_exactly_one_block_or_the_original_head(backbone):
    owned = [id(p) for block in backbone.blocks for p in block.parameters()]
    owned += [id(p) for p in backbone.source_head.parameters()]
    assert len(owned) == len(set(owned))
    assert set(owned) == {id(p) for p in backbone.net.parameters()}


def test_every_buffer_and_dropout_layer_is_under_a_block(backbone):
    """Freezing sets modes block by block: nothing with a mode of its own may lie outside."""
    inside = {id(m) for block in backbone.blocks for part in block.modules for m in part.modules()}
    moody = (nn.modules.batchnorm._NormBase, nn.Dropout, torchvision.ops.StochasticDepth)
    outside = [
        name
        for name, module in backbone.net.named_modules()
        if id(module) not in inside
        and (isinstance(module, moody) or next(module.buffers(recurse=False), None) is not None)
    ]
    # What remains is the dropout in front of the original head, which source_logits leaves out.
    assert all(name.startswith("classifier") for name in outside)


def test_block_sizes_are_the_catalogs(backbone):
    for block, row in zip(backbone.blocks, backbone.row.blocks, strict=True):
        assert block.name == row.name
        assert sum(p.numel() for p in block.parameters()) == row.parameters
    assert sum(p.numel() for p in backbone.net.parameters()) == backbone.row.parameters
    head = sum(p.numel() for p in backbone.source_head.parameters())
    assert head == backbone.row.head_parameters


def test_source_logits_have_no_dropout_in_train_mode(small):
    backbone = build(small, None)
    final = backbone.eval().forward_blocks(images(1, 96))
    expected = backbone.source_logits(final)
    assert torch.equal(backbone.train().source_logits(final), expected)


@pytest.mark.parametrize("name", ["vit_b_16", "squeezenet1_1"])
def test_a_deep_copy_has_blocks_of_its_own(name):
    backbone = build(catalog()[name], None).eval()
    copied = copy.deepcopy(backbone)
    with torch.no_grad():
        for parameter in copied.net.parameters():
            parameter.zero_()
        assert not copied.blocks[0].run(images(1)).any()
        assert backbone.blocks[0].run(images(1)).any()


def test_state_dict_has_torchvisions_keys(small):
    backbone = build(small, None)
    assert (
        backbone.net.state_dict().keys() == torchvision.models.squeezenet1_1().state_dict().keys()
    )


def test_random_start_is_torchvisions_and_leaves_the_random_state_alone(small):
    torch.manual_seed(5)
    expected = torchvision.models.squeezenet1_1().state_dict()
    state = torch.random.get_rng_state()
    built = build(small, None, seed=5).net.state_dict()
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(built[key], expected[key]) for key in expected)
    other = build(small, None, seed=6).net.state_dict()
    assert not torch.equal(built["features.0.weight"], other["features.0.weight"])


@pytest.mark.parametrize("name", ["resnet18", "swin_t", "mobilenet_v3_small"])
def test_a_state_dict_is_copied_in(name):
    row = catalog()[name]
    given = build(row, None, seed=3).net.state_dict()
    state = torch.random.get_rng_state()
    built = build(row, given)
    assert torch.equal(torch.random.get_rng_state(), state)
    for key, tensor in built.net.state_dict().items():
        assert torch.equal(tensor, given[key]), key
        assert tensor.data_ptr() != given[key].data_ptr()
    with torch.no_grad():
        x = images(1)
        reference = torchvision.models.get_model(name).eval()
        reference.load_state_dict(given)
        built.eval()
        assert torch.equal(built.source_logits(built.forward_blocks(x)), reference(x))


def test_a_state_dict_without_batch_counts_is_accepted():
    row = catalog()["resnet18"]
    given = build(row, None).net.state_dict()
    old = {key: value for key, value in given.items() if not key.endswith("num_batches_tracked")}
    built = build(row, old).net.state_dict()
    assert built["bn1.num_batches_tracked"] == 0
    assert torch.equal(built["bn1.running_var"], given["bn1.running_var"])


def test_a_state_dict_of_another_model_is_refused(small):
    with pytest.raises(BadWeights, match=r"do not fit SqueezeNet 1\.1") as caught:
        build(small, {"fc.weight": torch.zeros(1)})
    assert any("fc.weight" in line for line in caught.value.details)


def test_weights_load_as_float32_and_counts_stay_integers(tmp_path):
    path = tmp_path / "half.safetensors"
    save_file({"a": torch.ones(3, dtype=torch.float16), "n": torch.tensor(4)}, path)
    loaded = load_weights(path)
    assert loaded["a"].dtype == torch.float32
    assert loaded["n"].dtype == torch.int64


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused_by_name(tmp_path, value):
    path = tmp_path / "broken.safetensors"
    save_file({"good": torch.ones(2), "bad": torch.tensor([1.0, value])}, path)
    with pytest.raises(BadWeights, match="not finite") as caught:
        load_weights(path)
    assert caught.value.details == ("bad",)


def test_an_unreadable_file_is_a_sentence(tmp_path):
    with pytest.raises(BadWeights, match="cannot be read"):
        load_weights(tmp_path / "absent.safetensors")


def test_constructors_are_for_what_torchvision_does_not_name():
    assert not set(CONSTRUCTORS) & set(torchvision.models.list_models())
    assert set(CONSTRUCTORS) < {row.architecture for row in ROWS}
    for name in CONSTRUCTORS:
        assert construct(name, 7)(torch.zeros(1, 3, 64, 64)).shape == (1, 7)


def test_the_bundled_weights_fit_the_first_model_and_are_half_precision():
    row = ROWS[0]
    path = data_file(row.weights.file)
    stored = load_file(path)
    assert {t.dtype for t in stored.values() if t.is_floating_point()} == {torch.float16}
    built = build(row, load_weights(path)).net.state_dict()
    assert all(
        torch.equal(built[key], tensor.to(built[key].dtype)) for key, tensor in stored.items()
    )


def test_wiring_covers_the_catalog_and_nothing_else():
    assert {row.family for row in ROWS} == set(WIRING)


def test_published_squeezenet_recognises_photographs():
    reference = os.environ.get("TL_REFERENCE_DATA")
    if not reference:
        pytest.skip("TL_REFERENCE_DATA is not set")
    path = Path(reference) / "weights" / "squeezenet1_1-imagenet.safetensors"
    row = catalog()["squeezenet1_1"]
    backbone = build(row, load_weights(path)).eval()
    prepare = torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1.transforms()
    files = sorted((Path(reference) / "data" / "imagenet_sample").rglob("n0*.jpg"))[:40]
    batch = torch.stack([prepare(Image.open(file).convert("RGB")) for file in files])
    with torch.no_grad():
        top = backbone.source_logits(backbone.forward_blocks(batch)).argmax(dim=1).tolist()
    hits = sum(guess == index for index, guess in enumerate(top))
    assert hits >= 20  # 65% on all 1,000; 40 random guesses would hit none
