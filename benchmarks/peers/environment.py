"""A virtual environment for a peer that the project does not depend on.

Made in the benchmark's own folder. It sees the running interpreter's packages, so that torch is
shared, the same on both sides and not downloaded again; what the peer needs beside lies in front
of them and changes nothing outside.
"""

import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

# Never replaced by what a package would rather have: both sides have to run on the same.
PINNED = ("torch", "torchvision")


class NotInstalled(RuntimeError):
    """A package that cannot be had here; the text is the installer's reason."""


def interpreter(root: Path, package: str) -> Path:
    """Return the Python of the package's environment under `root`, made if it is not there yet.

    Raises NotInstalled with the reason; nothing is kept then, so that the next call tries again.
    """
    pins = [f"{name}=={version(name)}" for name in PINNED]
    folder = root / "-".join([package, *pins]).replace("==", "-")
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    complete = folder / "complete"
    if complete.is_file():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    try:
        _run(sys.executable, "-m", "venv", str(folder))
        _share_packages(python)
        constraints = folder / "constraints.txt"
        constraints.write_text("\n".join(pins))
        pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(str(python), *pip, "--constraint", str(constraints), package)
        _run(str(python), "-c", f"import {package}")
    except NotInstalled:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    complete.touch()
    return python


def package_version(python: Path, package: str) -> str:
    """Return the version of a package as an environment's Python sees it."""
    code = f"from importlib.metadata import version; print(version('{package}'))"
    return _run(str(python), "-c", code).strip()


def _share_packages(python: Path) -> None:
    """Let the environment find this interpreter's packages, behind its own."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    target = Path(_run(str(python), "-c", code).strip())
    shared = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (target / "shared.pth").write_text("\n".join(sorted(shared)))


def _run(*command: str) -> str:
    """Return what a command prints; raises NotInstalled with its last line of complaint."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise NotInstalled(lines[-1] if lines else f"exit code {done.returncode}")
    return done.stdout
