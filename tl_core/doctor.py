"""`doctor`: what this machine has, and what to do where something is missing."""

import shutil
import sys
from pathlib import Path

from tl_core import catalog, weights
from tl_core.home import home
from tl_core.layouts import check_content
from tl_core.store import Store, StoreError

# Under this much free space caches and results have no room to grow.
LOW_DISK_GB = 2.0


def report() -> int:
    """Print one line per check; return 0 if everything works, else 1."""
    checks = [_python(), _torch(), _disk(), _store(), _weights()]
    for good, text in checks:
        print(f"{'ok ' if good else '!! '} {text}")
    return 0 if all(good for good, _ in checks) else 1


def _python() -> tuple[bool, str]:
    version = sys.version.split()[0]
    return sys.version_info >= (3, 11), f"Python {version} (3.11 or newer is needed)"


def _torch() -> tuple[bool, str]:
    try:
        from tl_core.device import device_report
    except (ImportError, RuntimeError) as error:
        return False, (
            f"torch and torchvision do not work together ({str(error)[:120]}). Run: "
            "pip install -r requirements.txt"
        )
    found = device_report()
    versions = found["versions"]
    return True, (
        f"torch {versions['torch']}, torchvision {versions['torchvision']} on {found['device']} "
        f"({found['device_name']}), {found['precision']}, {found['threads']} threads; measured "
        f"once: remove {home() / 'measured'} to measure again"
    )


def _disk() -> tuple[bool, str]:
    free = shutil.disk_usage(home()).free / 1e9
    text = f"{free:.0f} GB free for the data directory {home()}"
    if free < LOW_DISK_GB:
        text += "; free some space, or choose another place with TL_HOME"
    return free >= LOW_DISK_GB, text


def _store() -> tuple[bool, str]:
    try:
        store = Store()
        jobs = len(store.list(limit=10_000))
        store.close()
    except StoreError as error:
        return False, str(error)
    return True, f"History: {jobs} entries"


def _weights() -> tuple[bool, str]:
    first = catalog.find(weights.FIRST_MODEL)
    own = weights.bundled(first)
    if own is None:
        return False, weights.missing(first)
    try:
        check_content(Path(own.path))
    except weights.BadWeights as error:
        return False, str(error)
    here = [row.title for row in catalog.catalog().values() if weights.available(row.name)]
    return True, f"Pretrained weights of {'; '.join(here)}"
