"""Both sides of the speed benchmark as fresh processes: the peers, and ours in an empty directory.

Every timed process stands alone, so that nothing that an earlier one decoded, computed or
allocated helps a later one.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.ours import Done
from benchmarks.peers import environment
from benchmarks.rows import ROOT
from tl_core.home import folder

# What torchvision's ImageFolder takes for an image.
SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class Peer:
    """What users would otherwise run; `package` is what its own environment needs, if any.

    `fixed_rate`: whether it takes our rate for feature extraction too, or its own.
    """

    title: str
    module: str
    arguments: tuple[str, ...] = ()
    package: str = ""
    fixed_rate: bool = True


PEERS = {
    "a": Peer("the plain loop of PyTorch's tutorial, batch 4", "tutorial", fixed_rate=False),
    "b": Peer("the best-tuned plain loop, batch 32", "tuned"),
    "b16": Peer("the same under bfloat16 autocast", "tuned", ("--bf16",)),
    "c": Peer("PyTorch Lightning, BaseFinetuning, batch 32", "lightning_loop", (), "lightning"),
    "d": Peer("fastai, fine_tune, batch 32", "fastai_loop", (), "fastai"),
}


class PeerDone(msgspec.Struct):
    """What a peer's run took (seconds) and reached (fraction); the same after every epoch."""

    seconds: float
    accuracy: float
    epochs: list[tuple[float, float]]


@dataclass(frozen=True)
class Data:
    """The images, a folder of `train` and `val`, and the weights that both sides start from."""

    folder: Path
    weights: Path

    @property
    def classes(self) -> list[str]:
        """Class names in the peers' order."""
        return sorted(path.name for path in (self.folder / "train").iterdir() if path.is_dir())

    @property
    def training_images(self) -> int:
        """How many images an epoch of a peer has."""
        found = (self.folder / "train").rglob("*")
        return sum(path.suffix.lower() in SUFFIXES for path in found)

    @property
    def arguments(self) -> list[str]:
        """What every process is told of them."""
        return ["--data", str(self.folder), "--weights", str(self.weights)]


def read_data(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Data:
    """Return the data that were named, else the reference data; ends the program without any.

    `options` has `data` and `weights`, each a path or None.
    """
    reference = os.environ.get("TL_REFERENCE_DATA")
    if reference is None and not (options.data and options.weights):
        parser.error("set TL_REFERENCE_DATA, or give --data and --weights")
    root = Path(reference or "")
    weights = root / "weights" / "squeezenet1_1-imagenet.safetensors"
    data = options.data or root / "data" / "hymenoptera"
    return Data(data.resolve(), (options.weights or weights).resolve())


def python_of(peer: Peer) -> Path:
    """Return the interpreter that runs a peer; raises environment.NotInstalled with the reason."""
    if not peer.package:
        return Path(sys.executable)
    return environment.interpreter(folder("benchmarks") / "environments", peer.package)


def run_peer(
    peer: Peer,
    data: Data,
    strategy: str,
    *,
    epochs: int,
    seed: int,
    rate: float | None,
    class_map: Mapping[str, Sequence[int]] | None = None,
) -> PeerDone:
    """Return one run of a peer; `rate` None is its own, `class_map` is for zero_shot."""
    command = [str(python_of(peer)), "-m", f"benchmarks.peers.{peer.module}", *data.arguments]
    command += ["--strategy", strategy, "--epochs", str(epochs), "--seed", str(seed)]
    command += ["--learning-rate", str(rate)] if rate is not None else []
    command += ["--class-map", json.dumps(class_map)] if class_map is not None else []
    return msgspec.json.decode(_last_line([*command, *peer.arguments], {}), type=PeerDone)


def run_ours(
    home: Path,
    data: Data,
    strategies: Sequence[str],
    *,
    steps: int,
    rate: float,
    seeds: int = 1,
) -> Done:
    """Return one comparison of ours in the data directory `home`."""
    command = [sys.executable, "-m", "benchmarks.ours", *data.arguments]
    command += ["--strategies", ",".join(strategies), "--steps", str(steps)]
    command += ["--learning-rate", str(rate), "--seeds", str(seeds)]
    return msgspec.json.decode(_last_line(command, {"TL_HOME": str(home)}), type=Done)


def _last_line(command: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return the last line that a process prints; raises RuntimeError with how it complains."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:3])} failed:\n{done.stderr[-2000:]}")
    return done.stdout.strip().splitlines()[-1]
