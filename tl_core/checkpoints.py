"""Unfinished runs on disk: what `trainer.Fit` needs to go on after its process was lost."""

import contextlib
import hashlib
import io
import os
import pickle
import re
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tl_core.home import folder

# At most one checkpoint in this many seconds, and at most this share of the time spent on them.
INTERVAL_SECONDS = 2.0
LARGEST_SHARE = 0.03
# A checkpoint nobody came back for, and one whose writer was ended before it was complete.
STALE_SECONDS = 14 * 24 * 3600.0
STALE_PART_SECONDS = 3600.0


class Checkpoints:
    """The checkpoint folder: `<run id>.pt` files, each ending in the SHA-256 of what precedes it.

    Bit flips and torn files are found by that sum: such a checkpoint counts as missing.
    """

    def __init__(self) -> None:
        # Runs shorter than the interval are repeated rather than slowed down.
        self._next = time.monotonic() + INTERVAL_SECONDS
        self._sweep()

    def load(self, run_id: str) -> dict[str, Any] | None:
        """Return a run's saved state (tensors on the CPU), or None."""
        try:
            data = self._path(run_id).read_bytes()
        except OSError:
            return None
        body, checksum = data[:-32], data[-32:]
        if hashlib.sha256(body).digest() != checksum:
            return None
        try:
            state: dict[str, Any] = torch.load(
                io.BytesIO(body), weights_only=True, map_location="cpu"
            )
        except (pickle.UnpicklingError, RuntimeError) as error:
            print(f"A checkpoint cannot be read and is ignored: {error}", file=sys.stderr)
            return None
        return state

    def save(self, run_id: str, state: Callable[[], dict[str, Any]]) -> None:
        """Save what `state` returns, unless the last checkpoint is too recent.

        A full disk costs the checkpoint, not the run.
        """
        started = time.monotonic()
        if started < self._next:
            return
        try:
            self._write(self._path(run_id), state())
        except OSError as error:
            print(f"No checkpoint was saved: {error}", file=sys.stderr)
        ended = time.monotonic()
        self._next = ended + max(INTERVAL_SECONDS, (ended - started) / LARGEST_SHARE)

    def remove(self, run_id: str) -> None:
        """Forget a run's checkpoint: the run is complete."""
        self._path(run_id).unlink(missing_ok=True)

    def _write(self, path: Path, state: dict[str, Any]) -> None:
        # Nobody else writes this file: not even a process of the same job that was taken for lost.
        temporary = path.with_name(f"{path.stem}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp")
        buffer = io.BytesIO()
        torch.save(state, buffer)
        try:
            with temporary.open("wb") as file:
                file.write(buffer.getbuffer())
                file.write(hashlib.sha256(buffer.getbuffer()).digest())
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(path.parent)

    def _path(self, run_id: str) -> Path:
        if not re.fullmatch(r"[0-9A-Za-z_-]+", run_id):
            raise ValueError("A run id is letters, digits, '-' and '_' only.")
        return folder("checkpoints") / f"{run_id}.pt"

    def _sweep(self) -> None:
        for path in folder("checkpoints").iterdir():
            with contextlib.suppress(OSError):
                limit = STALE_PART_SECONDS if path.suffix == ".tmp" else STALE_SECONDS
                if time.time() - path.stat().st_mtime > limit:
                    path.unlink()


def _sync_folder(path: Path) -> None:
    """Make a rename survive a power loss, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
