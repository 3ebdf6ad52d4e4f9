"""What tests share: a data directory of their own, reference data, models with random weights."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

    from tl_core.config import ComparisonConfig
    from tl_core.record import Record
    from tl_ui.state import Choice

# Tests run beside each other: each process computes on one core, and so do those that it starts.
# Set before PyTorch is imported; bit-identity is promised for one number of threads.
os.environ |= {"TL_THREADS": "1", "OMP_NUM_THREADS": "1"}

APP = str(Path(__file__).resolve().parents[1] / "app.py")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data directory."""
    path = tmp_path / "home"
    monkeypatch.setenv("TL_HOME", str(path))
    return path


@pytest.fixture(scope="session")
def _sampled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the first sample set in it, made once per session."""
    from tl_core import ingest

    path = tmp_path_factory.mktemp("sampled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TL_HOME", str(path))
        ingest.sample(next(iter(ingest.SAMPLES)))
    return path


@pytest.fixture
def sampled_home(home: Path, _sampled: Path) -> Path:
    """A data directory with nothing but the first sample set, which takes seconds to draw."""
    shutil.copytree(_sampled, home, copy_function=os.link)
    return home


@pytest.fixture
def app(sampled_home: Path, monkeypatch: pytest.MonkeyPatch) -> "Callable[..., AppTest]":
    """Open a page of the app in a new session, with no queue running; words of its address."""
    from streamlit.testing.v1 import AppTest

    monkeypatch.setattr("tl_ui.runner.keep_alive", lambda: None)

    def open_page(page: str, choice: "Choice | None" = None, **address: str) -> AppTest:
        at = AppTest.from_file(APP, default_timeout=30)
        if choice is not None:
            at.session_state["choice"] = choice
        for name, value in address.items():
            at.query_params[name] = value
        at.switch_page(f"pages/{page}.py").run()
        assert not at.exception
        return at

    return open_page


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of reference data, or a skip that says how to get it."""
    path = os.environ.get("TL_REFERENCE_DATA")
    if not path or not Path(path).is_dir():
        pytest.skip("reference data: TL_REFERENCE_DATA is not set to a folder")
    return Path(path)


@pytest.fixture(scope="session")
def golden(reference: Path) -> dict[str, dict]:
    """Reference values of metrics by key; each has `value` and `rtol`."""
    import json

    values: dict[str, dict] = json.loads((reference / "golden" / "golden_metrics.json").read_text())
    return values["golden"]


@pytest.fixture(scope="session")
def golden_inputs(reference: Path) -> dict[str, np.ndarray]:
    """The arrays that golden values were computed from."""
    with np.load(reference / "golden" / "golden_inputs.npz") as arrays:
        return dict(arrays)


@pytest.fixture
def small_comparison(
    home: Path, picture_folder: Path, random_weights: Callable[[str], Path]
) -> "ComparisonConfig":
    """All five strategies on the two-class pictures, with a small model of random weights."""
    return _five_strategies(picture_folder, random_weights)


def _five_strategies(pictures: Path, random_weights: Callable[[str], Path]) -> "ComparisonConfig":
    from tl_core import catalog, ingest, weights
    from tl_core.config import ComparisonConfig, DataConfig
    from tl_core.strategies import STRATEGIES, TEXTBOOK_STRATEGIES

    model = "mobilenet_v3_small"
    dataset = ingest.ingest_path(pictures)
    file = weights.add(catalog.catalog()[model], random_weights(model), name="random")
    return ComparisonConfig(
        data=DataConfig(fingerprint=dataset.fingerprint, name=dataset.name),
        backbone=model,
        weights_sha256=file.sha256,
        strategies=tuple(STRATEGIES[name] for name in TEXTBOOK_STRATEGIES),
        class_map={dataset.classes[0]: (3, 4), dataset.classes[1]: (500,)},
        device="cpu",
        precision="float32",
        threads=1,
    )


@pytest.fixture(scope="session")
def _compared(
    tmp_path_factory: pytest.TempPathFactory, random_weights: Callable[[str], Path]
) -> "tuple[Path, Record]":
    """A data directory in which `small_comparison` has run, a few steps each."""
    from tl_core import config
    from tl_core.experiment import run_comparison
    from tl_core.record import record

    path = tmp_path_factory.mktemp("compared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TL_HOME", str(path / "home"))
        budget = config.Budget(steps=3, trials=1, scratch_extension=2)
        patch.setitem(config.BUDGETS, "quick", budget)
        pictures = _draw_pictures(path / "pictures")
        wanted = _five_strategies(pictures, random_weights)
        events = run_comparison(wanted, lambda _: None, lambda _: None, lambda *_: None)
        return path / "home", record(events)


@pytest.fixture
def compared(home: Path, _compared: "tuple[Path, Record]") -> "Record":
    """A finished comparison of all five strategies, in a data directory of its own."""
    shutil.copytree(_compared[0], home)
    return _compared[1]


@pytest.fixture
def compared_job(compared: "Record") -> str:
    """The id of that comparison, in the store of its data directory."""
    from tl_core.store import Store

    assert compared.started is not None
    store = Store()
    job = store.create(compared.started.config, "Pictures", queued=False)
    store.append(job, [compared.started, *compared.runs.values(), *compared.ended.values()])
    assert compared.finished is not None
    store.append(job, [compared.finished])
    store.finish(job, "done")
    return job


@pytest.fixture(scope="session")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give a safetensors file of a randomly initialised catalog model, made once per session."""
    made: dict[str, Path] = {}
    folder = tmp_path_factory.mktemp("weights")

    def make(model: str) -> Path:
        if model not in made:
            from safetensors.torch import save_file

            from tl_core.backbones import build
            from tl_core.catalog import catalog

            made[model] = folder / f"{model}.safetensors"
            net = build(catalog()[model], None, seed=7).net
            _settle(net)
            save_file({k: v.contiguous() for k, v in net.state_dict().items()}, made[model])
        return made[model]

    return make


def _settle(net) -> None:
    """Give batch normalisation real statistics: with initial ones the signal dies on the way."""
    import torch

    layers = [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for layer in layers:
        layer.momentum = None
    if layers:
        # Coarse and fine patterns: on plain noise alone the statistics would be far too small.
        generator = torch.Generator().manual_seed(0)
        parts = [torch.randn(16, 3, size, size, generator=generator) for size in (3, 12, 96)]
        images = sum(torch.nn.functional.interpolate(part, 96) for part in parts)
        with torch.no_grad():
            net.train()(images)


@pytest.fixture
def picture_folder(tmp_path: Path) -> Path:
    """A folder of two easy classes, 12 images each, 64 x 48: bright discs and dark stripes."""
    return _draw_pictures(tmp_path / "pictures")


def _draw_pictures(root: Path) -> Path:
    rng = np.random.default_rng(5)
    for name, base in (("bright disc", 180), ("dark stripes", 60)):
        (root / name).mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(0, 60, (48, 64, 3)) + base
            if base < 100:
                pixels[:, :: 4 + number % 3] += 90
            Image.fromarray(pixels.astype(np.uint8)).save(root / name / f"{number}.png")
    return root
