"""What the Trust page judges: a comparison, answers about its data and model, groups of images.

Bootstraps are kept for each comparison and number of ended runs: a slider never repeats them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from tl_core import confidence, costs, evidence, flags, outside, recalls, slices
from tl_core.answers import AnyAnswer, Question, Soundness, Stress
from tl_core.calibration import ReliabilityBin
from tl_core.confidence import ConfidenceRow
from tl_core.config import ComparisonConfig, content_hash
from tl_core.costs import Cost
from tl_core.flags import Evidence, Flag
from tl_core.outside import Outside
from tl_core.recalls import Recalls
from tl_core.record import Record
from tl_core.slices import Attribute, Slice
from tl_core.store import Comparison
from tl_ui import asking, current
from tl_ui.follow import Followed

Kind = TypeVar("Kind", Soundness, Stress)


@dataclass(frozen=True)
class Subject:
    """A comparison as the page's parts see it. `key` is another one when more runs have ended."""

    job: Comparison
    followed: Followed
    key: str

    @property
    def found(self) -> Record:
        """The comparison so far."""
        return self.followed.found

    @property
    def titles(self) -> dict[str, str]:
        """The strategies' titles by name."""
        return {strategy.name: strategy.title for strategy in self.found.strategies}

    @property
    def kept(self) -> bool:
        """Whether the comparison keeps probabilities; older ones did not."""
        return any(run.result.test_log_probabilities for run in self.found.ended.values())

    @property
    def measured(self) -> list[str]:
        """The strategies with a result, the recommended first."""
        return [row.strategy for row in self.followed.rows if row.test_accuracy is not None]


def subject(job: Comparison, followed: Followed) -> Subject:
    """Return a comparison for the page's parts."""
    return Subject(job, followed, f"{job.id} {followed.made_of}")


def answer(kind: Question, answered: type[Kind], config: ComparisonConfig | None) -> Kind | None:
    """Return the newest answer about the same data, source images, model and weights."""
    for job in evidence.jobs_about(current.store(), kind, config) if config is not None else ():
        found: AnyAnswer | None = asking.answered(job.id)
        if isinstance(found, answered):
            return found
    return None


def judged(of: Subject, attributes: Sequence[Attribute]) -> list[Flag]:
    """Return the flags of a comparison."""
    config = of.job.config
    soundness, stress = answer("check", Soundness, config), answer("stress", Stress, config)
    asked = content_hash(soundness, stress, _named(attributes))
    known = Evidence(of.found, of.followed.rows, soundness, stress, attributes, calibrated(of))
    return _flags(of.key, asked, known)


@st.cache_data(max_entries=64, show_spinner="Checking")
def _flags(key: str, asked: str, _evidence: Evidence) -> list[Flag]:
    return flags.flags(_evidence)


def calibrated(of: Subject) -> list[ConfidenceRow]:
    """Return the strategies' calibration."""
    return _calibrated(of.key, of.found)


@st.cache_data(max_entries=64, show_spinner="Measuring confidence")
def _calibrated(key: str, _found: Record) -> list[ConfidenceRow]:
    return confidence.confidence_rows(_found)


def bins(of: Subject, strategy: str, scaled: bool) -> list[ReliabilityBin]:
    """Return the bins of a reliability diagram."""
    return _bins(of.key, strategy, scaled, of.found)


@st.cache_data(max_entries=256, show_spinner=False)
def _bins(key: str, strategy: str, scaled: bool, _found: Record) -> list[ReliabilityBin]:
    return confidence.diagram(_found, strategy, scaled)


def grouped(of: Subject, attributes: Sequence[Attribute], strategy: str) -> list[Slice]:
    """Return a strategy's accuracy by group."""
    return _grouped(of.key, _named(attributes), strategy, of.found, attributes)


@st.cache_data(max_entries=128, show_spinner="Comparing groups")
def _grouped(
    key: str, named: str, strategy: str, _found: Record, _attributes: Sequence[Attribute]
) -> list[Slice]:
    return slices.slices(_found, _attributes, strategy)


def _named(attributes: Sequence[Attribute]) -> str:
    return content_hash([(one.title, one.values) for one in attributes])


def recalled(of: Subject) -> list[Recalls]:
    """Return the strategies' recalls by class."""
    return _recalled(of.key, of.found)


@st.cache_data(max_entries=32, show_spinner=False)
def _recalled(key: str, _found: Record) -> list[Recalls]:
    return recalls.recalls(_found)


def priced(of: Subject, label: int, factor: float) -> list[Cost]:
    """Return what mistakes about a class cost."""
    return _priced(of.key, label, factor, of.found)


@st.cache_data(max_entries=256, show_spinner="Pricing mistakes")
def _priced(key: str, label: int, factor: float, _found: Record) -> list[Cost]:
    return costs.costs(_found, label, factor)


def strangers(of: Subject) -> list[Outside]:
    """Return what strategies do with images that are none of the classes."""
    return _strangers(of.key, of.found)


@st.cache_data(max_entries=64, show_spinner="Comparing with the source images")
def _strangers(key: str, _found: Record) -> list[Outside]:
    return outside.outside(_found)
