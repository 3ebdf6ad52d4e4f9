"""What a closer look at a result is given: the comparison, and the strategies that are shown.

What takes a moment is kept by comparison and number of ended runs, so that no widget repeats it.
"""

from dataclasses import dataclass

import streamlit as st

from tl_core import image_answers, tradeoff
from tl_core.datasets import Dataset
from tl_core.events import DatasetFacts
from tl_core.image_answers import ImageAnswers
from tl_core.record import Record
from tl_core.store import Comparison
from tl_core.tables import StrategyRow
from tl_core.tradeoff import Tradeoff
from tl_ui import current
from tl_ui.follow import Followed
from tl_ui.trust_evidence import Subject, subject


@dataclass(frozen=True)
class Looked:
    """A comparison as the closer looks see it; `shown`: strategies, the recommended first.

    Only comparisons that have started and measured something are looked at.
    """

    job: Comparison
    followed: Followed
    shown: tuple[str, ...]

    @property
    def found(self) -> Record:
        """The comparison with all its strategies."""
        return self.followed.found

    @property
    def facts(self) -> DatasetFacts:
        """The data as the comparison saw them."""
        assert self.found.started is not None
        return self.found.started.dataset

    @property
    def titles(self) -> dict[str, str]:
        """The titles of all strategies by name."""
        return {strategy.name: strategy.title for strategy in self.found.strategies}

    @property
    def measured(self) -> list[str]:
        """The shown strategies that have a result."""
        return [row.strategy for row in self.rows if row.test_accuracy is not None]

    @property
    def rows(self) -> list[StrategyRow]:
        """The rows of the shown strategies."""
        return [row for row in self.followed.rows if row.strategy in self.shown]

    @property
    def recommended(self) -> str | None:
        """The recommended strategy."""
        return self.followed.said.recommended if self.followed.said else None

    @property
    def subject(self) -> Subject:
        """The comparison as the Trust page sees it; what it keeps is kept for both."""
        return subject(self.job, self.followed)

    @property
    def data(self) -> Dataset | None:
        """The data set as it was, None if it is no longer there."""
        return current.load(self.facts.fingerprint)

    def key(self, name: str) -> str:
        """Return a widget's key that belongs to this comparison."""
        return f"{name}_{self.job.id[:8]}"


def answers(of: Looked) -> list[ImageAnswers]:
    """Return what the shown strategies answered to each test image."""
    return _guessed(of.subject.key, tuple(of.measured), of.found)


@st.cache_data(max_entries=32, show_spinner=False)
def _guessed(key: str, names: tuple[str, ...], _found: Record) -> list[ImageAnswers]:
    return image_answers.image_answers(_found, names)


def traded(of: Looked) -> Tradeoff:
    """Return where all strategies stand between accuracy and forgetting."""
    return _traded(of.subject.key, of.found, of.followed.rows)


@st.cache_data(max_entries=32, show_spinner="Comparing every pair")
def _traded(key: str, _found: Record, _rows: list[StrategyRow]) -> Tradeoff:
    return tradeoff.tradeoff(_found, _rows)
