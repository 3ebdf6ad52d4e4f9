"""How much memory and disk a large data set takes: all five strategies on 8,000 images.

    TL_REFERENCE_DATA=FOLDER python -m benchmarks.memory [--images N] [--json OUT]

In an empty data directory, with SqueezeNet 1.1 at 224 px and the quick budget. The images are
hymenoptera's, cropped and mirrored until there are enough different ones. Anonymous memory is what
no file backs and the system cannot take back; pages of memory-mapped files are counted apart.
Linux only: it reads `/proc`.
"""

import argparse
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks.limit import enlarged
from benchmarks.ours import drained, request
from benchmarks.sides import read_data
from tl_core import device
from tl_core.home import empty_home, folder
from tl_core.request import resolve
from tl_core.strategies import TEXTBOOK_STRATEGIES

IMAGES = 8000
LIMIT_GB = 6.0
INTERVAL_SECONDS = 0.1
GB = 1e9


class Peaks(msgspec.Struct):
    """The highest values of a process so far, gigabytes."""

    anonymous: float = 0.0
    file_backed: float = 0.0
    disk: float = 0.0


@contextmanager
def watched() -> Iterator[Peaks]:
    """Measure this process's peaks while the block runs."""
    found, done = Peaks(), threading.Event()

    def watch() -> None:
        while not done.wait(INTERVAL_SECONDS):
            status = Path("/proc/self/status").read_text()
            found.anonymous = max(found.anonymous, _field(status, "RssAnon"))
            found.file_backed = max(found.file_backed, _field(status, "RssFile"))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()
        files = folder("cache").rglob("*")
        # Blocks, not lengths: files have holes where nothing was written.
        found.disk = sum(path.stat().st_blocks * 512 for path in files if path.is_file()) / GB


def _field(status: str, name: str) -> float:
    found = re.search(rf"{name}:\s*(\d+) kB", status)
    return int(found.group(1)) * 1024 / GB if found else 0.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=IMAGES, metavar="N")
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="SqueezeNet 1.1, safetensors")
    parser.add_argument("--json", type=Path, metavar="OUT")
    options = parser.parse_args(arguments)
    data = read_data(parser, options)
    # The copies first: they lie in the data directory that is left.
    with enlarged(data, options.images) as large, empty_home():
        wanted = request(large.folder, large.weights, TEXTBOOK_STRATEGIES)
        with watched() as taking_in:
            config, _ = resolve(wanted, lambda message, share: None)
        with watched() as found:
            begun, accuracy = drained(config)
    print(f"{begun.dataset.images} images, {', '.join(accuracy)}")
    print(f"peak anonymous memory: {found.anonymous:.2f} GB (under {LIMIT_GB:.0f} asked)")
    print(f"peak pages of mapped files: {found.file_backed:.2f} GB")
    print(f"cache on disk: {found.disk:.2f} GB")
    print(f"taking the folder in: {taking_in.anonymous:.2f} GB anonymous")
    print(f"{begun.device_name}, torch {device.versions()['torch']}, {begun.config.precision}")
    if options.json is not None:
        options.json.write_bytes(msgspec.json.encode(found) + b"\n")


if __name__ == "__main__":
    main()
