"""The glossary: every term once, every word on the screen explained."""

from pathlib import Path

import pytest

from tests import scripted
from tl_core import columns, glossary
from tl_core.glossary.beyond import BEYOND
from tl_core.glossary.general import GENERAL
from tl_core.record import record
from tl_core.strategies import STRATEGIES, custom_strategy

ROOT = Path(__file__).resolve().parents[1]


def test_no_term_is_defined_twice() -> None:
    names = [term.name.casefold() for term in (*GENERAL, *BEYOND)]
    assert len(set(names)) == len(names) == len(glossary.TERMS)
    texts = [term.text for term in glossary.TERMS.values()]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("term", glossary.TERMS.values(), ids=lambda term: term.name)
def test_a_definition_is_one_or_two_sentences_and_related_terms_exist(term: glossary.Term) -> None:
    assert term.text[0].isupper() and term.text.endswith(".")
    assert 1 <= term.text.count(". ") + 1 <= 2
    assert len(term.text) < 220 and "  " not in term.text
    assert term.name not in term.related
    assert {name.casefold() for name in term.related} <= set(glossary.TERMS)


def test_every_strategy_is_explained() -> None:
    titles = [strategy.title for strategy in STRATEGIES.values()]
    for title in (*titles, custom_strategy((True,)).title):
        assert glossary.explain(title)


def test_every_column_has_a_term_or_a_definition_of_its_own() -> None:
    for scenario in (scripted.Scenario(), scripted.Scenario(probe=0)):
        for column in columns.columns(record(scripted.events(scenario))):
            assert column.definition or column.title.casefold() in glossary.TERMS


@pytest.mark.parametrize(
    "name",
    [
        *("backbone", "head", "linear probe", "frozen", "stage", "epoch", "step", "learning rate"),
        *("forgetting", "drift", "retention", "probe set", "negative transfer", "test part"),
        *("validation part", "seed", "interval", "paired", "tied", "calibration", "ECE"),
        *("balanced accuracy", "budget", "class map", "verdict"),
    ],
)
def test_the_words_of_the_screen_are_there(name: str) -> None:
    assert glossary.explain(name)


def test_search_finds_all_words_names_first() -> None:
    found = [term.name for term in glossary.search("probe")]
    assert found[:2] == ["linear probe", "probe set"]
    assert [term.name for term in glossary.search("floating-point")] == ["GFLOPs"]
    assert len(glossary.search("")) == len(glossary.TERMS)
    assert glossary.search("no such thing at all") == []


def test_several_terms_make_one_tooltip() -> None:
    both = glossary.explain("seed", "budget")
    assert both == f"{glossary.TERMS['seed'].text} {glossary.TERMS['budget'].text}"
    with pytest.raises(KeyError):
        glossary.explain("unheard of")


def test_pages_explain_their_words_from_one_source() -> None:
    """Every page's first words have a tooltip whose sentences are the glossary's."""
    for name in ("data", "model", "trust", "history", "pitfalls", "lessons"):
        assert "glossary.explain(" in (ROOT / "pages" / f"{name}.py").read_text(encoding="utf-8")
    for name in ("lab_setup", "plan_popover"):
        assert "glossary.explain(" in (ROOT / "tl_ui" / f"{name}.py").read_text(encoding="utf-8")
