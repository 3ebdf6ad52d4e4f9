"""A guess is answered in one sentence that names no winner among the tied."""

import numpy as np
import pytest

from tests.simulated import comparison, hits
from tl_core.guessing import answer, tally
from tl_core.record import Record
from tl_core.strategies import STRATEGIES
from tl_core.tables import rows
from tl_core.verdict import verdict

FROZEN, FULL, SCRATCH = "feature_extraction", "full_fine_tuning", "from_scratch"


def said(guess: str, found: Record) -> str | None:
    measured = rows(found)
    return answer(guess, found, measured, verdict(found, measured))


@pytest.fixture(scope="module")
def found() -> Record:
    """The first two alike, the third far behind."""
    same = hits(0.9, 1)
    return comparison({FROZEN: same, FULL: same, SCRATCH: hits(0.4, 2)})


def test_a_tied_guess_is_not_said_to_have_lost(found: Record) -> None:
    recommended = verdict(found, rows(found)).recommended
    other = FULL if recommended == FROZEN else FROZEN
    names = {name: STRATEGIES[name].title.lower() for name in (recommended, other)}
    assert said(other, found) == (
        f"You guessed {names[other]}; {names[recommended]} is recommended, they are tied."
    )
    assert said(recommended, found) == (
        f"You guessed {names[recommended]}, and it is recommended; tied in accuracy: "
        f"{names[other]}."
    )


def test_a_wrong_guess_has_its_interval(found: Record) -> None:
    text = said(SCRATCH, found)
    assert text.startswith("You guessed training from scratch; ")
    assert "your guess is clearly worse than the best: −" in text and " to −" in text


def test_the_only_best_is_said_to_be_it() -> None:
    found = comparison({FROZEN: hits(0.9, 1), SCRATCH: hits(0.4, 2)})
    assert (
        said(FROZEN, found) == "You guessed feature extraction, and it is recommended: it is "
        "the best."
    )


def test_nothing_is_said_without_a_guess_or_a_result(found: Record) -> None:
    assert said("", found) is None
    assert said("zero_shot", found) is None
    assert said(FULL, Record()) is None


def test_what_was_not_measured_is_said(found: Record) -> None:
    missing = np.full((3, 120), np.nan)
    assert said(SCRATCH, comparison({FROZEN: hits(0.9, 1), SCRATCH: missing})) == (
        "You guessed training from scratch, which was not measured."
    )
    alone = comparison({FROZEN: hits(0.9, 1)})
    assert said(FROZEN, alone) == (
        "You guessed feature extraction; there is nothing to compare it with yet."
    )


def test_guesses_are_counted_beside_recommendations() -> None:
    titles = {"a": "A", "b": "B", "c": "C"}
    assert tally(["b", "b", "c"], ["A", "B"], titles) == [("A", 0, 1), ("B", 2, 1), ("C", 1, 0)]
    assert tally([], [], titles) == []
