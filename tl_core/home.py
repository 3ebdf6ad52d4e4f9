"""The data directory: `TL_HOME`, else the platform's user data directory."""

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """Return the data directory, read anew from the environment at every call; it is created."""
    configured = os.environ.get("TL_HOME")
    path = Path(configured) if configured else Path(platformdirs.user_data_dir("transfer-lab"))
    path.mkdir(parents=True, exist_ok=True)
    return path


def folder(name: str) -> Path:
    """Return a named folder of the data directory (`datasets`, `weights`, `cache` ...), created."""
    path = home() / name
    path.mkdir(parents=True, exist_ok=True)
    return path
