"""Adding, finding, downloading and converting weights, with everything that can be wrong."""

import functools
import hashlib
import http.server
import io
import json
import os
import pickle
import struct
import threading
from pathlib import Path

import msgspec
import pytest
import torch
import torchvision
from safetensors.torch import load_file, save, save_file

from tl_core import layouts, weights
from tl_core.backbones import build, load_weights
from tl_core.catalog import catalog, data_file
from tl_core.weights import BadWeights

MODEL = catalog()["squeezenet1_1"]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TL_WEIGHTS_URL", raising=False)
    return tmp_path / "home"


@functools.cache
def state_dict():
    return build(MODEL, None, seed=2).net.state_dict()


def content(**changes):
    """Return a safetensors file of the model; a change to None drops that tensor."""
    tensors = {**state_dict(), **{key.replace("__", "."): t for key, t in changes.items()}}
    return save({key: tensor for key, tensor in tensors.items() if tensor is not None})


def leftovers(home):
    return [path.name for path in home.rglob("*") if path.is_file()]


def refused(data, match, model=MODEL):
    with pytest.raises(BadWeights, match=match) as caught:
        weights.add(model, io.BytesIO(data), name="mine")
    return caught.value


def test_added_weights_are_found_and_load(home):
    data = content()
    added = weights.add(MODEL, io.BytesIO(data), name="my weights")
    assert added.sha256 == hashlib.sha256(data).hexdigest()
    assert added.origin == "own file"
    assert weights.available("squeezenet1_1") == [added]
    assert weights.available("resnet18") == []
    assert weights.find(added.sha256[:10]) == added
    loaded = load_weights(added.path)
    assert all(torch.equal(loaded[key], tensor) for key, tensor in state_dict().items())
    assert sorted(leftovers(home)) == [f"{added.sha256}.json", f"{added.sha256}.safetensors"]


def test_a_path_is_copied_not_moved(tmp_path):
    source = tmp_path / "own.safetensors"
    source.write_bytes(content())
    added = weights.add(MODEL, source, name="own")
    assert source.exists()
    assert Path(added.path) != source


def test_the_same_content_twice_is_one_file():
    first = weights.add(MODEL, io.BytesIO(content()), name="first")
    assert weights.add(MODEL, io.BytesIO(content()), name="second") == first
    assert weights.available(MODEL.name) == [first]


def test_newest_first_and_removal():
    first = weights.add(MODEL, io.BytesIO(content()), name="first")
    half = {key: tensor.half() for key, tensor in state_dict().items()}
    second = weights.add(MODEL, io.BytesIO(save(half)), name="second")
    assert weights.available(MODEL.name) == [second, first]
    weights.remove(second)
    weights.remove(second)
    assert weights.available(MODEL.name) == [first]


def test_an_ambiguous_or_unknown_prefix_finds_nothing():
    weights.add(MODEL, io.BytesIO(content()), name="first")
    half = {key: tensor.half() for key, tensor in state_dict().items()}
    weights.add(MODEL, io.BytesIO(save(half)), name="second")
    assert weights.find("") is None
    assert weights.find("not a hash") is None


def test_foreign_files_in_the_folder_are_ignored(home):
    added = weights.add(MODEL, io.BytesIO(content()), name="first")
    folder = home / "weights" / MODEL.name
    (folder / "foreign.safetensors").write_bytes(b"x")
    (folder / "torn.safetensors").write_bytes(b"x")
    (folder / "torn.json").write_bytes(b"{")
    assert weights.available(MODEL.name) == [added]


def test_a_moved_data_directory_keeps_its_weights(home, tmp_path, monkeypatch):
    added = weights.add(MODEL, io.BytesIO(content()), name="first")
    home.rename(tmp_path / "moved")
    monkeypatch.setenv("TL_HOME", str(tmp_path / "moved"))
    (found,) = weights.available(MODEL.name)
    assert found.sha256 == added.sha256
    assert Path(found.path).is_file()


def test_a_changed_bit_is_detected_and_repaired_by_adding_again():
    added = weights.add(MODEL, io.BytesIO(content()), name="first")
    damaged = bytearray(Path(added.path).read_bytes())
    damaged[-1] ^= 1
    Path(added.path).write_bytes(damaged)
    with pytest.raises(BadWeights, match="has changed since it was added"):
        load_weights(added.path)
    assert weights.add(MODEL, io.BytesIO(content()), name="again") == added
    assert load_weights(added.path).keys() == state_dict().keys()


def test_missing_unexpected_and_misshapen_tensors_are_all_named(home):
    fault = refused(
        content(
            features__0__weight=None,
            features__0__bias=torch.zeros(3),
            classifier__1__weight=torch.zeros(10, 512, 1, 1),
            extra=torch.zeros(2, 2),
        ),
        r"do not fit SqueezeNet 1\.1: 4 tensors do not match",
    )
    assert set(fault.details) == {
        "missing: features.0.weight 64 x 3 x 3 x 3",
        "unexpected: extra 2 x 2",
        "wrong shape: features.0.bias 3, expected 64",
        "wrong shape: classifier.1.weight 10 x 512 x 1 x 1, expected 1000 x 512 x 1 x 1",
    }
    assert leftovers(home) == []


def test_weights_of_another_catalog_model_name_that_model():
    refused(content(), "They are SqueezeNet 1.1's: choose that model", catalog()["resnet18"])


def test_weights_of_no_catalog_model_say_what_to_check():
    refused(save({"a": torch.zeros(1)}), "its last layer must be the original one")


def test_quantised_weights_are_refused():
    integers = torch.zeros(64, dtype=torch.int8)
    fault = refused(content(features__0__bias=integers), "1 tensor does not match")
    assert fault.details == ("wrong type: features.0.bias is I8, expected floating point",)


def test_files_without_batch_counts_pass():
    model = catalog()["resnet18"]
    found = {
        key: (shape, "F16")
        for key, shape in layouts.layout("resnet18").items()
        if not key.endswith("num_batches_tracked")
    }
    layouts.check(model, found)


def header(entries, data=b""):
    encoded = json.dumps(entries).encode()
    return struct.pack("<Q", len(encoded)) + encoded + data


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x80\x02}q\x00.", id="pickle"),
        pytest.param(b"PK\x03\x04" + b"\0" * 60, id="zip"),
        pytest.param(struct.pack("<Q", 2**60) + b"{}", id="huge header"),
        pytest.param(
            header({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}), id="no data"
        ),
        pytest.param(
            header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, b"\0" * 8),
            id="gap",
        ),
        pytest.param(
            header({"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 4]}}, b"\0" * 4),
            id="shape against size",
        ),
    ],
)
def test_malformed_files_are_refused_with_the_way_out(home, data):
    refused(data, "not a readable safetensors file.*convert-weights")
    assert leftovers(home) == []


def test_a_truncated_file_is_refused():
    refused(content()[:-100], "not a readable safetensors file")


def test_too_large_a_file_is_refused_while_reading(monkeypatch, home):
    monkeypatch.setattr(weights, "MAX_WEIGHTS_BYTES", 1024**2)
    refused(content(), "larger than 1 MB")
    assert leftovers(home) == []


def test_an_absent_file_is_a_sentence_without_its_folder(tmp_path):
    with pytest.raises(BadWeights, match="cannot be copied") as caught:
        weights.add(MODEL, tmp_path / "absent.safetensors", name="x")
    assert str(tmp_path) not in str(caught.value)


def test_parts_of_killed_processes_are_swept(home):
    folder = home / "weights" / MODEL.name
    folder.mkdir(parents=True)
    for name, modified in (("old.part", 0), ("new.part", None)):
        (folder / name).touch()
        if modified is not None:
            os.utime(folder / name, (modified, modified))
    weights.add(MODEL, io.BytesIO(content()), name="x")
    assert not (folder / "old.part").exists()
    assert (folder / "new.part").exists()


def test_published_weights_are_accepted():
    reference = os.environ.get("TL_REFERENCE_DATA")
    if not reference:
        pytest.skip("TL_REFERENCE_DATA is not set")
    file = Path(reference) / "weights" / "squeezenet1_1-imagenet.safetensors"
    added = weights.add(MODEL, file, name="reference")
    assert added.megabytes == pytest.approx(2.36, abs=0.01)


BUNDLED = catalog()[weights.FIRST_MODEL]


def test_the_bundled_weights_are_there_without_a_download(home):
    (file,) = weights.available(BUNDLED.name)
    assert (file.origin, file.sha256, file.added) == ("bundled", BUNDLED.weights.sha256, "")
    assert weights.find(file.sha256[:10]) == weights.bundled(BUNDLED) == file
    assert weights.download(BUNDLED) == file
    assert weights.default_model() == BUNDLED.name == next(iter(catalog()))
    assert leftovers(home) == []


def test_bundled_weights_are_not_removed_and_not_kept_twice(home):
    (file,) = weights.available(BUNDLED.name)
    with pytest.raises(BadWeights, match="come with the app"):
        weights.remove(file)
    assert weights.add(BUNDLED, Path(file.path), name="mine") == file
    assert weights.available(BUNDLED.name) == [file]
    assert leftovers(home) == []


def test_own_weights_of_the_bundled_model_are_used_when_they_are_asked_for(home):
    tensors = {k: v.float() if v.is_floating_point() else v for k, v in bundled_tensors().items()}
    added = weights.add(BUNDLED, io.BytesIO(save(tensors)), name="mine")
    assert [file.origin for file in weights.available(BUNDLED.name)] == ["bundled", "own file"]
    assert weights.find(added.sha256) == added


def bundled_tensors():
    return load_file(weights.bundled(BUNDLED).path)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Let the bundled weights lie in a folder that may be written."""
    copy = tmp_path / "data" / BUNDLED.weights.file
    copy.parent.mkdir()
    copy.write_bytes(Path(weights.bundled(BUNDLED).path).read_bytes())
    monkeypatch.setattr(
        layouts, "data_file", lambda name: copy if name == copy.name else data_file(name)
    )
    return copy


def test_a_changed_bit_of_the_bundled_weights_stops_their_use(elsewhere):
    path = weights.bundled(BUNDLED).path
    assert Path(path) == elsewhere.resolve()
    load_weights(path)
    content = bytearray(elsewhere.read_bytes())
    content[-1] ^= 1
    elsewhere.write_bytes(content)
    with pytest.raises(BadWeights, match="which comes with the app, is not the one") as caught:
        load_weights(path)
    assert caught.value.details[1] == f"expected {BUNDLED.weights.sha256}"


def test_missing_bundled_weights_are_a_sentence_and_the_next_model_is_the_default(elsewhere):
    elsewhere.unlink()
    assert weights.available(BUNDLED.name) == []
    with pytest.raises(BadWeights, match=r"resnet10_procedural\.safetensors is missing"):
        weights.download(BUNDLED)
    assert weights.default_model() == BUNDLED.name  # nothing else is here either
    weights.add(MODEL, io.BytesIO(content()), name="mine")
    assert weights.default_model() == MODEL.name


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """Serve `tmp_path/mirror` on this machine and point downloads at it."""
    root = tmp_path / "mirror"
    (root / "models").mkdir(parents=True)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=root)
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("TL_WEIGHTS_URL", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield root / "models"
    server.shutdown()
    thread.join()
    server.server_close()


def publish(mirror, tensors):
    """Put a checkpoint on the mirror and return a row whose URL carries its hash."""
    torch.save(tensors, mirror / "new.pth")
    sha256 = hashlib.sha256((mirror / "new.pth").read_bytes()).hexdigest()
    name = f"squeezenet1_1-{sha256[:8]}.pth"
    (mirror / "new.pth").rename(mirror / name)
    url = f"https://download.pytorch.org/models/{name}"
    return msgspec.structs.replace(MODEL, weights=msgspec.structs.replace(MODEL.weights, url=url))


def test_a_download_is_converted_and_kept(mirror, home):
    row = publish(mirror, state_dict())
    fractions = []
    file = weights.download(row, fractions.append)
    assert file.origin == "torchvision"
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    loaded = load_weights(file.path)
    assert all(torch.equal(loaded[key], tensor) for key, tensor in state_dict().items())
    assert not [name for name in leftovers(home) if name.endswith((".part", ".pth"))]
    for published in mirror.iterdir():
        published.unlink()
    assert weights.download(row) == file  # nothing is fetched a second time


def test_a_download_that_is_not_what_was_published_is_refused(mirror, home):
    row = publish(mirror, state_dict())
    (published,) = mirror.iterdir()
    published.write_bytes(published.read_bytes()[:-1000])
    with pytest.raises(BadWeights, match="incomplete or altered"):
        weights.download(row)
    assert leftovers(home) == []


def test_a_server_without_the_file_is_named(mirror):
    with pytest.raises(BadWeights, match=r"127\.0\.0\.1 \(the server answered 404"):
        weights.download(MODEL)


def test_offline_says_what_to_do(mirror, monkeypatch):
    # A port that was just free and on which nothing listens.
    with http.server.HTTPServer(("127.0.0.1", 0), Quiet) as server:
        port = server.server_port
    monkeypatch.setenv("TL_WEIGHTS_URL", f"http://127.0.0.1:{port}")
    with pytest.raises(BadWeights, match=r"Connect to the internet.*convert-weights"):
        weights.download(MODEL)


def test_a_mirror_that_is_a_local_file_is_refused(monkeypatch):
    monkeypatch.setenv("TL_WEIGHTS_URL", "file:///etc")
    with pytest.raises(BadWeights, match="not a web address"):
        weights.download(MODEL)


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda d: d, id="plain"),
        pytest.param(lambda d: {"state_dict": d, "epoch": 3}, id="state_dict"),
        pytest.param(lambda d: {"model": d}, id="model"),
        pytest.param(lambda d: {f"module.{k}": v for k, v in d.items()}, id="module prefix"),
        pytest.param(
            lambda d: {"model": {f"module._orig_mod.{k}": v for k, v in d.items()}}, id="both"
        ),
    ],
)
def test_conversion_finds_the_state_dict(tmp_path, wrap):
    torch.save(wrap(state_dict()), tmp_path / "in.pth")
    weights.convert(tmp_path / "in.pth", tmp_path / "out.safetensors")
    converted = load_file(tmp_path / "out.safetensors")
    assert converted.keys() == state_dict().keys()
    assert all(torch.equal(converted[key], tensor) for key, tensor in state_dict().items())


def test_conversion_gives_the_same_bytes_each_time(tmp_path):
    torch.save(state_dict(), tmp_path / "in.pth")
    for name in ("a", "b"):
        weights.convert(tmp_path / "in.pth", tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_conversion_copes_with_shared_memory_and_strides(tmp_path):
    base = torch.arange(12.0).reshape(3, 4)
    torch.save({"a": base, "b": base.T, "c": base[0]}, tmp_path / "in.pth")
    weights.convert(tmp_path / "in.pth", tmp_path / "out.safetensors")
    converted = load_file(tmp_path / "out.safetensors")
    assert torch.equal(converted["b"], base.T)
    assert torch.equal(converted["c"], base[0])


def test_densenets_published_names_are_brought_up_to_date(tmp_path):
    model = torchvision.models.densenet121()
    keys = model.state_dict()
    old = {
        key.replace(".norm1.", ".norm.1.").replace(".conv2.", ".conv.2."): torch.zeros(1)
        for key in keys
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    torch.save(old, tmp_path / "in.pth")
    weights.convert(tmp_path / "in.pth", tmp_path / "out.safetensors")
    assert load_file(tmp_path / "out.safetensors").keys() == keys.keys()


class Payload:
    def __reduce__(self):
        return (os.mkdir, (os.environ["PAYLOAD"],))


@pytest.mark.parametrize("form", ["zip", "legacy", "raw"])
def test_a_pickle_payload_is_refused_and_does_not_run(form, tmp_path, home, monkeypatch):
    monkeypatch.setenv("PAYLOAD", str(tmp_path / "ran"))
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    hostile = {"a": torch.zeros(1), "b": Payload()}
    if form == "raw":
        (tmp_path / "in.pth").write_bytes(pickle.dumps({"b": Payload()}))
    else:
        torch.save(hostile, tmp_path / "in.pth", _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(BadWeights, match="could run code"):
        weights.convert(tmp_path / "in.pth", tmp_path / "out.safetensors")
    # Brought as what it is not, as the app takes it: no pickle is read there at all.
    refused((tmp_path / "in.pth").read_bytes(), "not a readable safetensors file")
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "out.safetensors").exists()


def test_an_unpacking_bomb_is_refused(tmp_path):
    bomb = torch.zeros(1).expand(200_000_000)
    torch.save({"a": bomb}, tmp_path / "in.pth")
    with pytest.raises(BadWeights, match="more than 400 MB of tensors"):
        weights.convert(tmp_path / "in.pth", tmp_path / "out.safetensors")


@pytest.mark.parametrize(
    ("value", "match"),
    [
        pytest.param(torch.zeros(2), "not a state dict", id="one tensor"),
        pytest.param({}, "not a state dict", id="empty"),
        pytest.param({"epoch": 3, "a": torch.zeros(1)}, r"1 entries are no tensors", id="mixed"),
        pytest.param({"a": torch.eye(2).to_sparse()}, "sparse or quantised", id="sparse"),
    ],
)
def test_other_checkpoints_are_refused_with_a_sentence(tmp_path, value, match):
    torch.save(value, tmp_path / "in.pth")
    with pytest.raises(BadWeights, match=match):
        weights.convert(tmp_path / "in.pth", tmp_path / "out.safetensors")


def test_unreadable_input_and_output_are_sentences(tmp_path):
    good = tmp_path / "in.pth"
    torch.save(state_dict(), good)
    (tmp_path / "noise.pth").write_bytes(b"noise" * 100)
    save_file({"a": torch.zeros(1)}, tmp_path / "done.safetensors")
    out = tmp_path / "out.safetensors"
    for pth, target, match in (
        (tmp_path / "absent.pth", out, "no file absent.pth"),
        (tmp_path / "noise.pth", out, "damaged"),
        (tmp_path / "done.safetensors", out, "already"),
        (good, tmp_path / "absent" / "out.safetensors", "cannot be written"),
    ):
        with pytest.raises(BadWeights, match=match) as caught:
            weights.convert(pth, target)
        assert str(tmp_path) not in str(caught.value)
