"""What the speed benchmark measures: one strategy on both sides in turn, and everything at once.

Each measurement is kept in the data directory under all that decides it: images, weights, code,
device, versions, settings. What was measured before is not measured again.
"""

from dataclasses import dataclass
from functools import cached_property

import msgspec

from benchmarks.ours import BACKBONE, Done, steps_for
from benchmarks.peers import environment
from benchmarks.rows import files_hash, kept, sources_hash
from benchmarks.sides import PEERS, Data, PeerDone, python_of, run_ours, run_peer
from tl_core import catalog, class_map, device
from tl_core.home import empty_home
from tl_core.strategies import TEXTBOOK_STRATEGIES

# Feature extraction needs more: its head is all that learns.
EPOCHS = {"feature_extraction": 25, "partial_fine_tuning": 10, "full_fine_tuning": 10}
SCRATCH, ZERO_SHOT = "from_scratch", "zero_shot"
FIVE_EPOCHS = 10
RATE, SECOND_RATE = 2e-4, 1e-4
# A peer that needs an environment is slow to make and only shown: one seed is enough.
SHOWN_SEEDS = 1


class Duel(msgspec.Struct):
    """A peer's runs and ours, one per seed, and our accuracy over as many seeds (fraction)."""

    peer: list[PeerDone]
    ours: list[Done]
    ours_accuracy: float


class Alone(msgspec.Struct):
    """What the tutorial's loop took for the strategies that have no row of their own."""

    scratch: list[PeerDone]
    zero_shot: PeerDone


class Twice(msgspec.Struct):
    """Our comparison of everything, and a second one with the same caches at another rate."""

    first: Done
    second: Done


@dataclass(frozen=True)
class Bench:
    """What all rows share; `epochs` replaces every row's own, to try the benchmark."""

    data: Data
    seeds: int
    epochs: int | None = None

    @cached_property
    def identity(self) -> tuple[object, ...]:
        """Everything but a row's own settings that decides its numbers."""
        compute = device.resolve("auto", "float32", 0)
        images = [path for path in self.data.folder.rglob("*") if path.is_file()]
        return (
            files_hash(images, self.data.folder),
            files_hash([self.data.weights], self.data.weights.parent),
            sources_hash(),
            (device.device_name(compute.device), compute.threads, device.versions()),
        )

    def epochs_of(self, strategy: str) -> int:
        """Return the epochs of a strategy's own row."""
        return self.epochs or EPOCHS[strategy]

    @property
    def five_epochs(self) -> int:
        """The epochs of everything that trains in the comparison of all strategies."""
        return self.epochs or FIVE_EPOCHS

    def steps(self, epochs: int) -> int:
        """Return our steps for a peer's epochs."""
        return steps_for(epochs, self.data.training_images)

    @cached_property
    def class_map(self) -> dict[str, tuple[int, ...]]:
        """The source classes of each class, as the app suggests them."""
        source = catalog.source_classes(catalog.find(BACKBONE).weights.source_classes)
        suggested = class_map.suggest(self.data.classes, source)
        return {name: suggested[name].indices for name in self.data.classes}


def duel(bench: Bench, strategy: str, letter: str) -> Duel:
    """Return a strategy's runs on both sides in turn; raises NotInstalled for a missing peer."""
    peer, epochs = PEERS[letter], bench.epochs_of(strategy)
    rate = RATE if peer.fixed_rate or strategy != "feature_extraction" else None
    seeds = SHOWN_SEEDS if peer.package else bench.seeds
    steps = bench.steps(epochs)
    python = python_of(peer)
    version = environment.package_version(python, peer.package) if peer.package else ""

    def measure() -> Duel:
        found = Duel([], [], accuracy(bench, strategy, seeds))
        for seed in range(seeds):
            print(f"  {strategy}, seed {seed}: ({letter}) and ours", flush=True)
            found.peer.append(
                run_peer(peer, bench.data, strategy, epochs=epochs, seed=seed, rate=rate)
            )
            with empty_home() as home:
                found.ours.append(run_ours(home, bench.data, [strategy], steps=steps, rate=RATE))
        return found

    what = (bench.identity, "duel", strategy, letter, version, epochs, rate, RATE, seeds)
    return kept(what, measure, Duel)


def accuracy(bench: Bench, strategy: str, seeds: int) -> float:
    """Return our test accuracy, mean over seeds, of a comparison that is not timed."""
    steps = bench.steps(bench.epochs_of(strategy))

    def measure() -> float:
        with empty_home() as home:
            done = run_ours(home, bench.data, [strategy], steps=steps, rate=RATE, seeds=seeds)
        return done.accuracy[strategy]

    return kept((bench.identity, "accuracy", strategy, steps, RATE, seeds), measure, float)


def alone(bench: Bench) -> Alone:
    """Return the tutorial's loop from scratch, seed after seed, and its zero-shot pass."""
    epochs, peer = bench.five_epochs, PEERS["a"]

    def measure() -> Alone:
        print("  from_scratch and zero_shot: (a)", flush=True)
        zero = run_peer(
            peer, bench.data, ZERO_SHOT, epochs=1, seed=0, rate=None, class_map=bench.class_map
        )
        scratch = [
            run_peer(peer, bench.data, SCRATCH, epochs=epochs, seed=seed, rate=RATE)
            for seed in range(bench.seeds)
        ]
        return Alone(scratch, zero)

    return kept((bench.identity, "alone", epochs, RATE, bench.seeds), measure, Alone)


def twice(bench: Bench) -> Twice:
    """Return our comparison of all strategies and seeds, and the second one after it."""
    steps = bench.steps(bench.five_epochs)

    def measure() -> Twice:
        print(
            f"  {len(TEXTBOOK_STRATEGIES)} strategies x {bench.seeds} seeds: ours, twice",
            flush=True,
        )
        with empty_home() as home:
            first, second = (
                run_ours(
                    home,
                    bench.data,
                    list(TEXTBOOK_STRATEGIES),
                    steps=steps,
                    rate=rate,
                    seeds=bench.seeds,
                )
                for rate in (RATE, SECOND_RATE)
            )
        return Twice(first, second)

    return kept((bench.identity, "twice", steps, RATE, SECOND_RATE, bench.seeds), measure, Twice)
