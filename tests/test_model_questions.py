"""The questions of the Model page, answered as a worker would."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from streamlit.testing.v1 import AppTest

from tests import replies, scripted
from tests.test_pages import texts
from tl_core import ingest, weights
from tl_core.answers import AnyAnswer
from tl_core.catalog import catalog, find
from tl_core.config import DataConfig
from tl_core.events import Answered
from tl_core.store import Store
from tl_core.variants import VARIANTS
from tl_core.weights import FIRST_MODEL, WeightsFile
from tl_ui import model_ranking
from tl_ui.state import Choice

HERE = (FIRST_MODEL, "resnet18", "resnet50", "squeezenet1_1", "vit_b_16")


def sha(model: str) -> str:
    return find(model).weights.sha256 or f"{list(catalog()).index(model):064x}"


@pytest.fixture
def five_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that the weights of five models are on this machine."""

    def files(model: str) -> list[WeightsFile]:
        return [
            WeightsFile(
                model=model,
                sha256=sha(model),
                path="",
                origin="own file",
                name=model,
                megabytes=9.0,
                added="",
            )
        ] * (model in HERE)

    monkeypatch.setattr(weights, "available", files)


def give(at: AppTest, kind: str, answer: AnyAnswer) -> None:
    """Press the button that asks, answer the job as a worker would, and look again."""
    next(b for b in at.button if (b.key or "").startswith(f"ask_{kind}")).click().run()
    store = Store()
    job = store.claim()
    assert job is not None and job.kind == kind
    store.append(job.id, [Answered(answer=answer)])
    store.finish(job.id, "done")
    store.close()
    at.run()
    assert not at.exception


def table(at: AppTest, column: str):
    return next(frame.value for frame in at.dataframe if column in frame.value)


def five() -> AnyAnswer:
    return replies.ranking(
        *(
            replies.ranked(model, logme=place / 10, leep=-place / 10, knn=0.5)
            for place, model in enumerate(HERE)
        )
    )


def test_models_are_ranked_and_one_is_chosen(app: Callable[..., AppTest], five_here) -> None:
    at = app("model")
    give(at, "rank", five())
    ranked = table(at, "logme")
    best = find(HERE[-1]).title
    assert ranked["Model"].tolist()[:5] == [find(name).title for name in reversed(HERE)]
    assert ranked["logme shuffled"].tolist()[0] == pytest.approx(0.4 - 1)
    assert set(ranked["Weights"].tolist()[5:]) == {"download to rank"}
    assert len(ranked) == len(catalog())
    said = texts(at)
    assert "no score says which strategy is best" in said
    assert "**LogME**: Mind logme." in said
    at.segmented_control(key="ranking_by").set_value("leep").run()
    assert table(at, "logme")["Model"].tolist()[0] == find(FIRST_MODEL).title
    assert at.button(key="ranking_use").disabled
    at.segmented_control(key="ranking_by").set_value("logme").run()
    assert at.button(key="ranking_use").label == f"Use {best}"
    at.button(key="ranking_use").click().run()
    assert at.session_state["choice"].backbone == HERE[-1]
    # Another model is chosen now; what was asked of all models is still answered.
    assert table(at, "logme")["Model"].tolist()[0] == best


def test_the_licence_gate_leaves_what_may_be_sold(app, five_here) -> None:
    at = app("model")
    give(at, "rank", five())
    at.toggle(key="ranking_sold").set_value(True).run()
    left = table(at, "logme")
    assert set(left["Commercial use"]) == {"yes"}
    assert len(left) == sum(row.weights.may_be_sold == "yes" for row in catalog().values())


@pytest.mark.parametrize("name", [FIRST_MODEL, "resnet18"])
def test_the_chosen_model_wears_its_terms(app, name: str) -> None:
    at = app("model", Choice(backbone=name))
    assert f"commercial use: {find(name).weights.may_be_sold}" in texts(at)


def test_scores_that_images_are_too_few_for_are_missing_and_said(app) -> None:
    at = app("model")
    only = replies.ranked(FIRST_MODEL, 0.4, -0.4, 1.0)
    kept = {"leep": only.scores["leep"]}
    give(at, "rank", replies.ranking(msgspec.structs.replace(only, scores=kept)))
    assert table(at, "logme")["logme"].isna().all()
    assert "too few for LogME" in texts(at)


def compared(models: tuple[str, ...], fingerprint: str) -> None:
    """Put a finished comparison of each model on the sample into the store."""
    store = Store()
    for model in models:
        scenario = scripted.Scenario(seeds=1, fingerprint=fingerprint)
        first, *others = scripted.events(scenario)
        config = msgspec.structs.replace(
            first.config,
            data=DataConfig(fingerprint=fingerprint, name="signs"),
            backbone=model,
            weights_sha256=sha(model),
        )
        job = store.create(config, model, queued=False)
        store.append(job, [msgspec.structs.replace(first, config=config), *others])
        store.finish(job, "done")
    store.close()


def test_agreement_with_what_was_measured_needs_five_models(
    app,
    five_here,
    monkeypatch: pytest.MonkeyPatch,
    sampled_home: Path,
) -> None:
    fingerprint = ingest.sample(next(iter(ingest.SAMPLES))).fingerprint
    compared(HERE[:3], fingerprint)
    at = app("model")
    give(at, "rank", five())
    assert "2 missing" in texts(at)
    assert table(at, "logme")["Measured"].notna().sum() == 3
    compared(HERE[3:], fingerprint)
    # As if later models had been better: the order of LogME, and not that of LEEP.
    reached = {name: 0.5 + place / 10 for place, name in enumerate(HERE)}
    monkeypatch.setattr(model_ranking.track_record, "best_by_model", lambda pairs: reached)
    at.run()
    assert "LogME +1.00, LEEP −1.00, Nearest neighbour –" in texts(at)


def test_images_that_are_fed_rightly_are_told_so_first(app) -> None:
    at = app("model")
    give(at, "stress", replies.stress())
    assert "handed over as the weights expect them" in at.success[0].value
    costs = table(at, "Probe loses")
    assert costs["Mistake"].tolist() == [row.title for row in VARIANTS.values()]
    assert costs["Probe loses"].tolist()[1] == "+5.0 (+3.0 to +7.0)"
    assert costs["Source task loses"].tolist()[1] == "+6.0 (+4.0 to +8.0)"
    assert costs["Noticed"].tolist().count("yes") == 1
    assert "Zero-shot loses" not in costs
    assert len(at.get("plotly_chart")) == 1


def test_a_mismatch_is_said_loudly(app) -> None:
    at = app("model")
    give(at, "stress", replies.stress(mismatch="They are probably BGR."))
    assert any("probably BGR" in error.value for error in at.error)
    assert not at.success


def test_few_images_and_no_source_images_are_said(app) -> None:
    at = app("model")
    give(at, "stress", replies.stress(images=9, source=False))
    assert "too few to tell small losses from chance" in at.warning[0].value
    assert "Source task loses" not in table(at, "Probe loses")
