"""Settings of strategies as a person gives them: JSON, or a file of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tl_core.config import NotPossible, Setting
from tl_core.strategies import Strategy

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


def read(given: str, strategies: Sequence[Strategy]) -> dict[str, Setting]:
    """Return the settings of these strategies that JSON text or a file of it holds.

    A penalty without a strength has the usual one. Raises NotPossible with a sentence for the user.
    """
    try:
        body = given if given.lstrip().startswith("{") else Path(given).read_text("utf-8")
        found = msgspec.json.decode(body, type=dict[str, Setting])
    except (OSError, UnicodeDecodeError) as error:
        raise NotPossible(f"The settings {given} cannot be read.") from error
    except msgspec.DecodeError as error:
        raise NotPossible(_FORM) from error
    trained = {s.name: s for s in strategies if s.solver == "steps"}
    strangers = ", ".join(sorted(found.keys() - trained.keys()))
    if strangers:
        raise NotPossible(f"The settings name what is not compared, or not trained: {strangers}.")
    return {name: _checked(one, trained[name]) for name, one in found.items()}


def _checked(given: Setting, strategy: Strategy) -> Setting:
    if not 0 < given.learning_rate <= 1 or not given.weight_decay >= 0:
        raise NotPossible("A learning rate is above 0 and at most 1, a weight decay not below 0.")
    strength = given.penalty_strength
    if strategy.penalty == "none" and strength is not None:
        raise NotPossible(f"{strategy.title} has no penalty: leave its penalty_strength out.")
    if strategy.penalty != "none":
        strength = strategy.strengths[0] if strength is None else strength
        if strength < 0:
            raise NotPossible("The strength of a penalty is not below 0.")
    return msgspec.structs.replace(given, penalty_strength=strength)
