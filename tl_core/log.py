"""The structured log of the data directory: one JSON line an event, one file a kind of process.

Lines hold ids, times and reasons; never what people brought or how they call it. Each file is
rotated by the one process that writes it.
"""

import json
import logging
import logging.handlers
import sys
import time
import traceback
from collections.abc import Iterator
from typing import Any, Final, Literal

from tl_core import home

Process = Literal["runner", "web", "room"]

LARGEST_BYTES: Final = 5 * 1024**2
KEPT_FILES: Final = 3

_LOGGER: Final = logging.getLogger("tl_core")


class _Lines(logging.Formatter):
    """A record as a JSON object; a traceback's frames without the folders of this machine."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        fields: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "process": record.process,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            fields["error"], fields["at"] = described(error)
        return json.dumps(fields, ensure_ascii=False, default=str)


def start(process: Process, *others: str) -> None:
    """Have this process write its log; of the loggers named in `others`, warnings and worse.

    Called again it changes nothing but the data directory. A disk that cannot be written costs the
    log, never the work.
    """
    path = home.folder("logs") / f"{process}.jsonl"
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=LARGEST_BYTES, backupCount=KEPT_FILES, encoding="utf-8", delay=True
    )
    handler.setFormatter(_Lines())
    handler.addFilter(_worth_keeping)
    handler.handleError = _lost  # type: ignore[method-assign]
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False
    for name in (_LOGGER.name, *others):
        logger = logging.getLogger(name)
        for old in [h for h in logger.handlers if isinstance(h, type(handler))]:
            logger.removeHandler(old)
            old.close()
        logger.addHandler(handler)


def note(event: str, **fields: Any) -> None:
    """Log that something happened, in one constant phrase, with what belongs to it."""
    _LOGGER.info(event, extra={"fields": fields})


def warn(event: str, **fields: Any) -> None:
    """Log something that should not happen, with the exception that is being handled, if any."""
    _LOGGER.warning(event, extra={"fields": fields}, exc_info=sys.exc_info()[0] is not None)


def described(error: BaseException) -> tuple[str, list[str]]:
    """Return an exception's type and its frames, without its text and this machine's folders."""
    frames = traceback.extract_tb(error.__traceback__)
    return type(error).__name__, [f"{_last(f.filename)}:{f.lineno} {f.name}" for f in frames]


def read(process: Process) -> Iterator[dict[str, Any]]:
    """Yield what a process logged, oldest first; lines cut off by a crash are passed over."""
    folder = home.folder("logs")
    for number in range(KEPT_FILES, -1, -1):
        path = folder / (f"{process}.jsonl.{number}" if number else f"{process}.jsonl")
        if not path.exists():
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue


def _worth_keeping(record: logging.LogRecord) -> bool:
    return record.name == _LOGGER.name or record.levelno >= logging.WARNING


def _lost(record: logging.LogRecord) -> None:
    """Pass over a line that could not be written."""


def _last(path: str) -> str:
    return "/".join(path.replace("\\", "/").split("/")[-2:])
