"""A job that a command executes in its own process, kept in the store like those of the queue."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from tl_core import worker
from tl_core.config import ComparisonConfig
from tl_core.store import Store


@contextlib.contextmanager
def executed(
    store: Store,
    config: ComparisonConfig,
    name: str,
    *,
    kind: str = "compare",
    request: Mapping[str, Any] | None = None,
) -> Iterator[str]:
    """Hold a running job, by id; it ends as the block does: done, cancelled, or failed and why."""
    job = store.create(config, name, queued=False, kind=kind, request=request)
    try:
        yield job
    except KeyboardInterrupt:
        store.finish(job, "cancelled")
        raise
    except Exception as error:
        store.finish(job, "failed", worker.reason(error))
        raise
    store.finish(job, "done")
