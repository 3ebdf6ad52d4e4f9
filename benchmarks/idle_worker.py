"""A worker whose jobs do nothing: what is left is what an executor costs."""

from typing import Any

from tl_core import pipe


def prepare() -> dict[str, Any]:
    """Return a report of nothing."""
    return {"device": "none"}


def perform(job: pipe.Job, end: pipe.End) -> pipe.Done:
    """Do nothing and be done."""
    return pipe.Done()


if __name__ == "__main__":
    pipe.serve(prepare, perform)
