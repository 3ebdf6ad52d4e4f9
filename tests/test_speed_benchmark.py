"""What the speed benchmark compares with trains what it says, and what it measures is kept."""

import ast
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from benchmarks import duels, rows, speed
from benchmarks.limit import enlarged
from benchmarks.ours import Done, steps_for
from benchmarks.peers import setting, tuned, tutorial
from benchmarks.peers.setting import Clock, Options
from benchmarks.sides import Data, PeerDone

PEERS = Path(setting.__file__).parent
TRAINED = {
    "feature_extraction": {"classifier.1"},
    "partial_fine_tuning": {"features.11", "features.12", "classifier.1"},
}
KEYS = {"name", "ratio", "ours_seconds", "other_seconds", "ours_accuracy", "other_accuracy"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """Eight training and four validation images of two classes, and random weights in half."""
    root, rng = tmp_path_factory.mktemp("speed"), np.random.default_rng(1)
    for part, images in (("train", 4), ("val", 2)):
        for name, base in (("ants", 150), ("bees", 40)):
            folder = root / "data" / part / name
            folder.mkdir(parents=True)
            for number in range(images):
                pixels = rng.integers(0, 80, (64, 80, 3)) + base
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png")
    torch.manual_seed(0)
    state = {name: value.half() for name, value in setting.squeezenet1_1().state_dict().items()}
    save_file(state, root / "weights.safetensors")
    return Data(root / "data", root / "weights.safetensors")


def options(data: Data, strategy: str, **changes) -> Options:
    return Options(data=data.folder, weights=data.weights, strategy=strategy, **changes)


def train(peer: str, given: Options) -> tuple[setting.Model, Clock]:
    """One run of a peer, its workers left out: a test has no use for them."""
    model, clock = setting.build(given, 2), Clock()
    if peer == "a":
        tutorial.train(model, tutorial.open_loaders(given, workers=0), given, clock)
    else:
        tuned.train(model, tuned.open_loaders(given, workers=0), given, clock, peer == "b16")
    return model, clock


@pytest.mark.parametrize("peer", ["a", "b", "b16"])
@pytest.mark.parametrize("strategy", list(setting.TRAINED_FROM))
def test_a_peer_trains_exactly_what_its_strategy_says(data: Data, strategy: str, peer: str):
    given = options(data, strategy, learning_rate=1e-2)
    before = setting.build(given, 2).net.state_dict()
    model, clock = train(peer, given)
    after = model.net.state_dict()
    moved = {name for name, value in after.items() if not torch.equal(value, before[name])}
    owners = {".".join(name.split(".")[:2]) for name in moved}
    every = {".".join(name.split(".")[:2]) for name in after}
    assert owners == TRAINED.get(strategy, every)
    assert len(clock.epochs) == 1


def test_only_from_scratch_begins_with_other_weights(data: Data):
    source = setting.source_model(data.weights).features.state_dict()
    for strategy in setting.TRAINED_FROM:
        features = setting.build(options(data, strategy), 2).net.features.state_dict()
        same = all(torch.equal(features[name], value) for name, value in source.items())
        assert same == (strategy != setting.SCRATCH)


def test_both_halves_are_the_whole_network(data: Data):
    images = torch.rand(2, 3, 224, 224)
    for strategy in setting.TRAINED_FROM:
        model = setting.build(options(data, strategy), 2)
        model.net.eval()
        with torch.no_grad():
            assert torch.equal(model.trained(model.frozen(images)), model.net(images))


def test_accuracy_counts_every_image_once_in_batches_of_any_size():
    labels = torch.tensor([0, 1, 1, 0, 1])
    scores = torch.tensor([[2.0, 1], [1, 2], [2, 1], [2, 1], [1, 2]])
    batches = [(scores[:2], labels[:2]), (scores[2:], labels[2:])]
    assert setting.accuracy(lambda batch: batch, batches) == pytest.approx(4 / 5)


def test_the_tutorials_accuracy_is_that_of_its_final_network(data: Data):
    given = options(data, "partial_fine_tuning", epochs=2)
    model, clock = train("a", given)
    model.net.eval()
    measured = setting.accuracy(model.net, tutorial.open_loaders(given, workers=0)["val"])
    assert measured == clock.epochs[-1][1]
    line = json.loads(clock.report())
    assert [line["seconds"], line["accuracy"]] == line["epochs"][-1]
    assert line["epochs"][0][0] < line["seconds"]


def test_zero_shot_scores_classes_by_their_source_classes(data: Data):
    """A source model that is sure of one class is right about that class alone."""
    net = setting.source_model(data.weights)
    for sure, expected in ((309, 0.5), (310, 0.5)):
        state = net.state_dict()
        state["classifier.1.weight"] = torch.zeros_like(state["classifier.1.weight"])
        state["classifier.1.bias"] = torch.zeros(1000).index_fill(0, torch.tensor(sure), 9.0)
        path = data.weights.with_name(f"{sure}.safetensors")
        save_file(state, path)
        given = Options(data.folder, path, "zero_shot", class_map={"ants": [310], "bees": [309]})
        clock = tutorial.run(given, workers=0)
        assert clock.epochs[0][1] == expected
    with pytest.raises(KeyError):
        tutorial.run(Options(data.folder, path, "zero_shot"), workers=0)


def test_peers_know_nothing_of_the_core():
    for path in PEERS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [name.name for name in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if name.split(".")[0] in ("tl_core", "tl_ui")]


def test_as_many_images_are_seen_as_in_the_peers_epochs(data: Data):
    assert (data.training_images, data.classes) == (8, ["ants", "bees"])
    assert steps_for(25, 244) == 191
    assert steps_for(1, 32) == 1


class Sides:
    """Stands for both sides; counts what is run, and fails at a run if told to."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.fail_at = 0

    def _note(self, run: str) -> None:
        self.runs.append(run)
        if len(self.runs) == self.fail_at:
            raise RuntimeError("interrupted")

    def peer(self, peer, data, strategy, *, epochs, seed, rate, class_map=None) -> PeerDone:
        self._note(f"{peer.module} {strategy} {seed}")
        every = [(2.0 * (epoch + 1), 0.5) for epoch in range(epochs)]
        return PeerDone(every[-1][0], 0.5, every)

    def ours(self, home, data, strategies, *, steps, rate, seeds=1) -> Done:
        self._note(f"ours {','.join(strategies)} {seeds} {rate}")
        return Done(1.0, 0.1, dict.fromkeys(strategies, 0.75), "cpu", "a device", "float32", 2)


@pytest.fixture
def sides(monkeypatch: pytest.MonkeyPatch, home: Path) -> Sides:
    made = Sides()
    monkeypatch.setattr(duels, "run_peer", made.peer)
    monkeypatch.setattr(duels, "run_ours", made.ours)
    return made


def command(data: Data, *more: str) -> list[str]:
    return ["--data", str(data.folder), "--weights", str(data.weights), *more]


def test_rows_and_table_say_what_was_measured(data: Data, sides: Sides, tmp_path: Path, capsys):
    out = tmp_path / "out.json"
    speed.main(command(data, "--seeds", "2", "--json", str(out)))
    found = json.loads(out.read_text())
    assert all(set(row) == KEYS for row in found)
    by_name = {row["name"]: row for row in found}
    assert len(by_name) == len(found) == 8
    partial = by_name["partial_fine_tuning, 10 epochs, against (b)"]
    # Two seeds of ten epochs of two seconds, against two runs of a second.
    assert (partial["other_seconds"], partial["ours_seconds"], partial["ratio"]) == (40, 2, 20)
    assert (partial["ours_accuracy"], partial["other_accuracy"]) == (0.75, 0.5)
    five = by_name["five strategies x 2 seeds, 10 epochs, against (a)"]
    # Of feature extraction's 25 epochs ten count; zero-shot is one pass.
    assert five["other_seconds"] == 2 * 4 * 20 + 2
    table = capsys.readouterr().out
    assert "| partial_fine_tuning, 10 epochs, against (b) | 20.00 | 2.0 | 40.0 |" in table
    assert "threads" in table


def test_the_sides_take_turns(data: Data, sides: Sides):
    speed.main(command(data, "--peers", "a", "--rows", "full_fine_tuning", "--seeds", "2"))
    untimed, *timed = sides.runs
    assert untimed == "ours full_fine_tuning 2 0.0002"
    assert [run.split()[0] for run in timed] == ["tutorial", "ours", "tutorial", "ours"]


def test_an_interrupted_table_goes_on_by_rows(data: Data, sides: Sides):
    sides.fail_at = 7
    with pytest.raises(RuntimeError):
        speed.main(command(data, "--seeds", "2"))
    assert sides.runs[-1] == "tutorial partial_fine_tuning 0"
    before = len(sides.runs)
    speed.main(command(data, "--seeds", "2"))
    # The finished row and our accuracy in the one that was cut off are not measured again.
    assert sides.runs[before] == "tutorial partial_fine_tuning 0"
    assert sides.runs.count("tutorial feature_extraction 0") == 1
    assert sides.runs.count("ours partial_fine_tuning 2 0.0002") == 1
    before = len(sides.runs)
    speed.main(command(data, "--seeds", "2"))
    assert len(sides.runs) == before
    speed.main(command(data, "--seeds", "2", "--epochs", "3", "--rows", "second"))
    assert len(sides.runs) == before + 2


def test_a_peer_that_cannot_be_had_says_why(data: Data, sides: Sides, monkeypatch, capsys):
    def refuse(peer) -> Path:
        raise duels.environment.NotInstalled("ERROR: no such package")

    monkeypatch.setattr(duels, "python_of", refuse)
    speed.main(command(data, "--peers", "d", "--rows", "full_fine_tuning"))
    assert "did not run: ERROR: no such package | – |" in capsys.readouterr().out
    assert not sides.runs


def test_more_images_are_distinct_and_keep_the_classes(data: Data, home: Path):
    with enlarged(data, 40) as more:
        files = sorted(more.folder.rglob("*.jpg"))
        assert len({path.read_bytes() for path in files}) == len(files) == 40
        assert {path.parent.name for path in files} == {"ants", "bees"}


def test_a_row_is_kept_under_everything_that_decides_it(home: Path):
    made = []

    def make() -> float:
        made.append(1)
        return float(len(made))

    assert rows.kept(("row", 1), make, float) == 1
    assert rows.kept(("row", 1), make, float) == 1
    assert rows.kept(("row", 2), make, float) == 2
