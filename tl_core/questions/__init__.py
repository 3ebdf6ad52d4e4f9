"""Questions that a model has to look at images for, without a comparison: one job each."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from tl_core.answers import Question
from tl_core.config import ComparisonConfig
from tl_core.events import Event

# Imported when asked: each brings libraries of its own, and a job asks one question.
_ROOMS: dict[Question, str] = {
    "rank": "ranking",
    "check": "soundness",
    "stress": "stress",
    "shift": "shift",
    "predict": "prediction",
    "inspect": "inspection",
    "export": "exporting",
    "interpolate": "interpolating",
}


def ask(
    question: Question, config: ComparisonConfig, request: Mapping[str, Any]
) -> Iterator[Event]:
    """Yield progress and at last the answer to a question.

    `config` says data, model, weights, source images and device; its strategies do not matter.
    `request`: what a question needs beside it. Raises NotPossible or BadInput with a sentence for
    the user.
    """
    room = import_module(f"tl_core.questions.{_ROOMS[question]}")
    yield from getattr(room, question)(config, request)
