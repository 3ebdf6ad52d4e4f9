"""What the command line says of a sweep, and its document, from made-up results."""

import json

import msgspec
import pytest
from msgspec.structs import replace

from tests import factories, simulated, sweeps
from tests.factories import comparison_config
from tl_core.answers import RankedModel, RankedScore, Ranking
from tl_core.sweep import Sweep, SweepPoint
from tl_core.sweep_document import sweep_document
from tl_core.sweep_sentences import score_agreement, sentences
from tl_core.sweep_text import table, text
from tl_core.swept import Swept

TUNED, PROBE = "full_fine_tuning", "feature_extraction"
MODELS = {
    "resnet18": 0.6,
    "resnet34": 0.7,
    "squeezenet1_1": 0.5,
    "mobilenet_v3_small": 0.8,
    "resnet50": 0.9,
}


def labels() -> Swept:
    rising = {2.0: 0.5, 5.0: 0.66, 10.0: 0.74, 20.0: 0.9}
    return sweeps.over(
        {
            size: {PROBE: sweeps.exact(0.8), TUNED: sweeps.exact(accuracy)}
            for size, accuracy in rising.items()
        }
    )


def models(count: int, order: int = 1) -> Swept:
    """Models whose one score orders them as they were measured, or the other way round."""
    chosen = dict(list(MODELS.items())[:count])
    points = tuple(
        SweepPoint(label=name, value=None, config=comparison_config(backbone=name))
        for name in chosen
    )
    records = {}
    for place, (name, accuracy) in enumerate(chosen.items()):
        record = simulated.comparison({PROBE: sweeps.exact(accuracy)})
        config = msgspec.structs.replace(record.started.config, backbone=name)
        record.started = msgspec.structs.replace(record.started, config=config)
        records[place] = record
    ranked = tuple(
        RankedModel(
            model=name,
            title=name,
            scores={"logme": RankedScore(value=order * value, shuffled=0.0, cautions=())},
            seconds=1.0,
            milliseconds=1.0,
            megabytes=1.0,
        )
        for name, value in chosen.items()
    )
    sweep = Sweep(name="model", points=points, notes=("ResNet-152 is left out.",))
    ranking = Ranking(images=10, classes=2, models=ranked)
    return Swept(sweep=sweep, records=records, ranking=ranking)


def test_the_table_has_every_point_in_order():
    lines = table(labels()).splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["2", "2", "5", "5", "10", "10", "20", "20"]
    assert "80.0%" in lines[2] and "50.0%" in lines[3]


def test_a_point_that_failed_stands_in_the_table_with_its_reason():
    found = labels()
    found.records.pop(1)
    found.failed[1] = "The weights are gone."
    lines = table(found).splitlines()
    assert lines[4].split(maxsplit=1) == ["5", "The weights are gone."]
    assert lines[0].index("test accuracy") == lines[2].index("80.0%")


def test_of_labels_the_curves_the_crossover_and_the_textbook_are_said():
    curves, crossed, textbook = sentences(labels())
    assert len(curves.splitlines()) == 2 and "buy" in curves
    assert crossed.startswith("From 20 labels per class on full fine-tuning is ahead")
    assert textbook.startswith("The textbook's thresholds")


@pytest.mark.parametrize(("order", "said"), [(1, "LogME +1.00"), (-1, "LogME −1.00")])
def test_scores_are_held_against_what_was_measured(order, said):
    found = models(5, order)
    assert score_agreement(found.ranking, found) == {"logme": pytest.approx(order)}
    assert said in text(found) and "ResNet-152 is left out." in text(found)


def test_of_rates_the_range_test_is_told():
    found = sweeps.over(
        {0.001: {TUNED: sweeps.exact(0.5)}, 0.01: {TUNED: sweeps.exact(0.6)}}, "rate"
    )
    assert sentences(found) == []
    plain = factories.run_ended("ranged")
    run = replace(factories.RUN, kind="range_test", learning_rate=1e-5, highest_rate=1.0, steps=40)
    losses = (2.0, 2.0, 1.5, 1.0, 0.8, 0.9, 3.0, 9.0)
    curve = tuple(
        replace(factories.epoch_ended("ranged", 5 * number + 5), train_loss=loss)
        for number, loss in enumerate(losses)
    )
    found.records[0].ended["ranged"] = replace(plain, run=run, curve=curve)
    assert sentences(found) == [], "its table is the terminal's"
    (_, said, *_) = text(found).split("\n\n")
    assert said.splitlines()[0].startswith("strategy") and "Full fine-tuning" in said
    (ranged,) = sweep_document(found)["range_tests"]
    assert ranged["strategy"] == TUNED and len(ranged["points"]) == len(losses)


def test_under_five_models_nothing_is_said_of_the_scores():
    found = models(4)
    assert score_agreement(found.ranking, found) == {}
    assert "can be told from 5 models on" in text(found)


def test_the_document_can_be_written_and_says_it_all():
    found = labels()
    made = json.loads(json.dumps(sweep_document(found)))
    assert made["sweep"] == "labels" and len(made["rows"]) == 8 and len(made["points"]) == 4
    assert made["rows"][0]["forgetting"] is None, "what was not measured is null"
    tuned = next(one for one in made["learning_curves"] if one["strategy"] == TUNED)
    assert tuned["fit"]["gain_points"]["low"] <= tuned["fit"]["gain_points"]["value"]
    (crossed,) = made["crossovers"]
    assert (crossed["first"], crossed["below"], crossed["above"]) == (TUNED, 10.0, 20.0)
    assert "learning_curves" not in sweep_document(models(5))
    with pytest.raises(ValueError, match="has not started"):
        sweep_document(Swept())
