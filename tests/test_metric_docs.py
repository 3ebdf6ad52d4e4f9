"""A metric without a paragraph in docs/metrics.md does not exist."""

import inspect
import re
from pathlib import Path

import pytest

from tl_core import calibration, domain, label_shift, metrics
from tl_core.domain import DISTANCES
from tl_core.transferability import SCORES, agreement_with

TEXT = (Path(__file__).parent.parent / "docs" / "metrics.md").read_text()
# Heading and what stands under it up to the next one.
PARAGRAPHS = re.findall(r"^### (.+)\n(.+)", TEXT, flags=re.MULTILINE)


def public_functions(module):
    return [
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and not name.startswith("_")
        and value.__module__.startswith(module.__name__)
    ]


@pytest.mark.parametrize(
    "registered", [*SCORES.values(), *DISTANCES.values()], ids=lambda r: r.name
)
def test_every_score_and_distance_has_a_paragraph(registered):
    """Under its title, with its name, and the year of the paper."""
    found = [body for heading, body in PARAGRAPHS if f"(`{registered.name}`)" in heading]
    assert len(found) == 1
    assert any(heading.startswith(registered.title.split(" (")[0]) for heading, _ in PARAGRAPHS)
    assert re.search(r"\b(19|20)\d\d\b", found[0])


@pytest.mark.parametrize("module", [metrics, calibration, label_shift, domain])
def test_every_public_function_is_mentioned(module):
    assert public_functions(module)
    missing = [name for name in public_functions(module) if f"`{name}`" not in TEXT]
    assert missing == []


def test_agreement_and_intervals_have_a_paragraph():
    headings = " ".join(heading for heading, _ in PARAGRAPHS)
    for word in (f"`{agreement_with.__name__}`", "Forgetting", "`linear_cka`", "tie"):
        assert word in headings


def test_no_name_is_documented_that_does_not_exist():
    named = {name for heading, _ in PARAGRAPHS for name in re.findall(r"`(\w+)`", heading)}
    known = {*SCORES, *DISTANCES, "agreement_with", "agreement", "linear_cka"}
    for module in (metrics, calibration, label_shift):
        known |= set(public_functions(module))
    assert named <= known
