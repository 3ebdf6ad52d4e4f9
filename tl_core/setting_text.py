"""Settings of strategies as a person gives them: JSON, or a file of it."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tl_core.config import NotPossible, Setting

_FORM = (
    'The settings are not JSON of the form {"full_fine_tuning": {"learning_rate": 0.003, '
    '"weight_decay": 0.0001}}; strategies with a penalty also have "penalty_strength".'
)


def plain(settings: Mapping[str, Setting]) -> dict[str, dict[str, Any]]:
    """Return settings as plain containers; what a strategy does not have is left out."""
    return {
        name: {key: value for key, value in msgspec.to_builtins(one).items() if value is not None}
        for name, one in settings.items()
    }


def text(settings: Mapping[str, Setting]) -> str:
    """Return settings as one line of JSON, as `read` takes it."""
    return msgspec.json.encode(plain(settings)).decode()


def read(given: str, strategies: Collection[str]) -> dict[str, Setting]:
    """Return the settings that JSON text or a file of it holds.

    `strategies`: names of those compared. Raises NotPossible with a sentence for the user.
    """
    try:
        body = given if given.lstrip().startswith("{") else Path(given).read_text("utf-8")
        found = msgspec.json.decode(body, type=dict[str, Setting])
    except (OSError, UnicodeDecodeError) as error:
        raise NotPossible(f"The settings {given} cannot be read.") from error
    except msgspec.DecodeError as error:
        raise NotPossible(_FORM) from error
    strangers = sorted(found.keys() - set(strategies))
    if strangers:
        raise NotPossible(f"The settings name what is not compared: {', '.join(strangers)}.")
    if any(not 0 < one.learning_rate <= 1 or one.weight_decay < 0 for one in found.values()):
        raise NotPossible("A learning rate is above 0 and at most 1, a weight decay not below 0.")
    return found
