"""The rule is a prior, the measurement has the last word, and disagreement is said."""

import pytest
from msgspec.structs import replace

from tests.scripted import Scenario, events
from tl_core.advice import BASES, FEW_PER_CLASS, MANY_PER_CLASS, advice, rule
from tl_core.answers import Distance, RankedModel, RankedScore, Ranking, Soundness
from tl_core.record import Record, record
from tl_core.tables import rows

FOUND = record(events())


def soundness(distance: float) -> Soundness:
    one = Distance(
        name="mmd",
        title="MMD²",
        value=distance,
        null_low=0.0,
        null_high=0.01,
        p=0.01,
    )
    return Soundness(
        mismatch="", images=300, findings=(), source="photos", source_images=40, distances=(one,)
    )


def ranking(**scores: tuple[float, float]) -> Ranking:
    return Ranking(
        images=180,
        classes=10,
        models=tuple(
            RankedModel(
                model=name,
                title=name.capitalize(),
                scores={"logme": RankedScore(value=value, shuffled=chance, cautions=())},
                seconds=1.0,
                milliseconds=1.0,
                megabytes=1.0,
            )
            for name, (value, chance) in scores.items()
        ),
    )


def better_scratch() -> Record:
    """Return a comparison in which the probe is clearly worse than full fine-tuning."""
    swapped = []
    for event in events():
        result = getattr(event, "result", None)
        if result is not None and event.run.strategy.name == "feature_extraction":
            wrong = tuple((label + 1) % 10 for label in result.test_labels)
            event = replace(event, result=replace(result, test_predictions=wrong))
        swapped.append(event)
    return record(swapped)


@pytest.mark.parametrize(
    ("each", "likeness", "first"),
    [
        (FEW_PER_CLASS - 1, "like", "feature_extraction"),
        (FEW_PER_CLASS - 1, "unknown", "feature_extraction"),
        (FEW_PER_CLASS - 1, "unlike", "partial_fine_tuning"),
        (FEW_PER_CLASS, "like", "partial_fine_tuning"),
        (MANY_PER_CLASS, "like", "full_fine_tuning"),
        (MANY_PER_CLASS, "unlike", "full_fine_tuning"),
    ],
)
def test_the_rule(each: float, likeness, first: str) -> None:
    assert rule(each, likeness) == first


def test_every_sentence_names_its_basis_and_the_prior_its_thresholds() -> None:
    found = advice(FOUND, rows(FOUND), soundness(0.05), ranking(resnet18=(0.5, -0.2)))
    assert {one.basis for one in found.sentences} == set(BASES)
    prior = found.sentences[0]
    assert prior.basis == "textbook"
    assert "18 of a class" in prior.text and "rules of thumb" in prior.text


def test_the_measurement_agrees_or_ties() -> None:
    found = advice(FOUND, rows(FOUND))
    assert found.first == "feature_extraction"
    assert "agrees" in found.sentences[-1].text
    unlike = advice(FOUND, rows(FOUND), soundness(0.3))
    assert unlike.first == "partial_fine_tuning"
    assert "do not look like" in unlike.sentences[1].text
    assert "does not contradict" in unlike.sentences[-1].text


def test_disagreement_is_said_with_its_interval() -> None:
    found = better_scratch()
    last = advice(found, rows(found)).sentences[-1]
    assert "disagrees with the rule" in last.text
    assert "Trust the measurement" in last.text and " to " in last.text


def test_what_was_not_run_cannot_be_confirmed() -> None:
    only = [s for s in Scenario().strategies if s.name != "feature_extraction"]
    found = record(events(Scenario(strategies=tuple(only))))
    assert "was not run" in advice(found, rows(found)).sentences[-1].text
    begun = record(events()[:1])
    assert "Too little was measured" in advice(begun, rows(begun)).sentences[-1].text
    assert advice(record([]), []) is None


def test_a_ranking_speaks_of_models_alone() -> None:
    found = advice(FOUND, rows(FOUND), None, ranking(resnet18=(0.2, -0.1), other=(0.6, -0.2)))
    text = next(one.text for one in found.sentences if one.basis == "ranking")
    assert "puts Other first" in text and "used here is number 2" in text
    assert "nothing of strategies" in text
    useless = advice(FOUND, rows(FOUND), None, ranking(resnet18=(-0.3, -0.2)))
    assert "better than shuffled labels" in useless.sentences[1].text
