"""Looks that use finished models: answers come from the real rooms, the page runs over them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests import replies
from tests.conftest import APP
from tests.test_lab_page import charts, text
from tl_core import datasets, ingest, interpolated, questions
from tl_core.events import Answered
from tl_core.store import Store
from tl_ui import closer_looks


@pytest.fixture
def job(compared_job, monkeypatch) -> str:
    """The finished comparison's id; no queue runs."""
    monkeypatch.setattr("tl_ui.runner.keep_alive", lambda: None)
    return compared_job


def look(job: str, name: str, **session: object) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=60)
    page.query_params["job"] = job
    page.session_state["closer_look"] = name
    for key, value in session.items():
        page.session_state[key] = value
    page.run()
    assert not page.exception
    return page


def answer_all(page: AppTest) -> AppTest:
    """Do what the queue's process would: answer every question that waits; then look again."""
    store = Store()
    waiting = [job for job in store.list(active=True) if job.kind != "compare"]
    assert waiting
    for one in waiting:
        events = list(questions.ask(one.kind, one.config, one.request))
        assert isinstance(events[-1], Answered)
        store.append(one.id, events)
        store.finish(one.id, "done")
    page.run()
    assert not page.exception
    return page


def brought(folder: Path, compared) -> str:
    """Test images of the comparison as a data set without labels."""
    data = datasets.load(compared.started.config.data.fingerprint)
    folder.mkdir()
    for index in range(4):
        Image.fromarray(datasets.pixels(data, index)).save(folder / f"photo {index}.png")
    return ingest.ingest_path(folder, kind="unlabelled").fingerprint


def test_every_look_has_a_short_name():
    assert list(closer_looks.LOOKS)[-4:] == ["features", "try", "predict", "models"]
    assert len({title for title, _ in closer_looks.LOOKS.values()}) == len(closer_looks.LOOKS)


def test_inside_the_network_and_its_features_are_shown(job):
    page = look(job, "features")
    assert not charts(page, "plotly_chart")[2:]
    page = answer_all(page)
    said = text(page)
    assert "Nearest neighbour of the same class" in said
    assert "Test images in feature space" in said
    drawn = next(
        one.proto.body
        for one in page.get("html")
        if 'role="list"' in one.proto.body and "moved" in one.proto.body
    )
    assert "frozen" in drawn and "trained" in drawn and "original head" in drawn
    assert len(charts(page, "plotly_chart")) == 4


def test_an_image_is_answered_by_every_strategy(job, compared, tmp_path):
    page = look(job, "try", tried_images=brought(tmp_path / "try", compared))
    page = answer_all(page)
    said = text(page)
    assert "What the models see" in said
    for strategy in compared.strategies:
        assert strategy.title in said
    bars = [one for one in page.get("html") if "width:" in one.proto.body and "%" in one.proto.body]
    answers = [one for one in bars if "<span>" in one.proto.body]
    assert len(answers) >= 4 * len(compared.strategies)


def test_a_folder_is_predicted_to_a_table_and_the_unsure_are_named(job, compared, tmp_path):
    page = look(job, "predict", predict_images=brought(tmp_path / "predict", compared))
    next(one for one in page.button if one.label == "Predict these images").click().run()
    page = answer_all(page)
    said = text(page)
    assert "Most worth labelling" in said and "nsure" in said
    table = page.dataframe[-1].value
    assert sorted(table["file"]) == [f"photo {i}.png" for i in range(4)]
    assert set(table["class"]) <= set(compared.started.dataset.classes)


def test_a_model_is_taken_away_with_how_it_was_checked(job):
    pytest.importorskip("onnxruntime", reason="requirements-export.txt is not installed")
    page = look(job, "models")
    next(one for one in page.button if one.label == "Make the files").click().run()
    page = answer_all(page)
    said = " ".join(one.value for one in page.success)
    assert "model.onnx" in said and "model.safetensors" in said
    assert "the same class on all" in said
    labels = [one.proto.label for one in page.get("download_button")]
    assert {"All files as a zip", "model.onnx", "use_onnx.py"} <= set(labels)
    assert any("import onnxruntime" in one.value for one in page.code)


def ask_between(job: str, **session: object) -> AppTest:
    page = look(job, "interpolate", **session)
    next(one for one in page.button if one.label == "Measure the models between").click().run()
    return page


def test_a_slider_goes_from_the_linear_probe_to_the_fine_tuned_model(job, compared):
    page = answer_all(ask_between(job))
    said = text(page)
    assert "0% is the linear probe" in said
    assert "only your own task is shown" in " ".join(one.value for one in page.info)
    assert "No point is chosen here" in " ".join(one.value for one in page.info)
    (slider,) = [one for one in page.slider if one.key.startswith("interpolate_share")]
    assert (slider.min, slider.max, slider.step, slider.value) == (0, 100, 10, 50)
    assert "**50% of the way**" in said
    chosen = page.selectbox(key=f"interpolate_strategy_2_{job[:8]}").value
    for value, ended in ((0, "feature_extraction"), (100, chosen)):
        slider.set_value(value).run()
        assert not page.exception
        right = np.mean(
            np.equal((run := compared.final(ended)[0].result).test_predictions, run.test_labels)
        )
        line = next(one for one in text(page).splitlines() if "Your task:" in one)
        assert f"**{100 * right:.1f}%**" in line
        slider = next(one for one in page.slider if one.key.startswith("interpolate_share"))
    assert "the fine-tuned model itself" in text(page)
    assert any(
        "interpolate" in one.value and f"--strategy {chosen}" in one.value for one in page.code
    )


def test_a_point_is_chosen_where_source_images_are_kept_apart_for_it(job):
    page = ask_between(job)
    store = Store()
    (waiting,) = [one for one in store.list(active=True) if one.kind == "interpolate"]
    store.append(waiting.id, [Answered(answer=replies.interpolation())])
    store.finish(waiting.id, "done")
    page.run()
    assert not page.exception
    said, best = text(page), interpolated.path(replies.interpolation()).best
    assert f"Chosen: {10 * best}% of the way" in said
    assert "200 of 400 source images" in said
    slider = next(one for one in page.slider if one.key.startswith("interpolate_share"))
    assert slider.value == 10 * best
    spec = next(c for c in charts(page, "plotly_chart") if "Source accuracy" in c.proto.spec)
    assert "Chosen" in spec.proto.spec
    assert "no measurable difference" in said and "measurably better" in said


def test_statistics_of_normalisation_are_another_question(job):
    page = ask_between(job)
    toggle = next(one for one in page.toggle if one.label.startswith("Estimate normalisation"))
    toggle.set_value(True).run()
    assert not page.exception
    assert "Measure the models between" in [one.label for one in page.button]
    page = answer_all(ask_between(job, **{toggle.key: True}))
    assert any("--norm-statistics" in one.value for one in page.code)


def test_what_was_not_fine_tuned_has_nothing_between(job):
    page = look(job, "interpolate")
    page.button(key="show_feature_extraction").click().run()
    assert not page.exception
    assert "there is no way to one" in " ".join(one.value for one in page.info)


def test_a_cancelled_question_is_not_begun_again_unasked(job):
    page = look(job, "features")
    store = Store()
    (waiting,) = [one for one in store.list(active=True) if one.kind == "inspect"]
    store.finish(waiting.id, "cancelled")
    page.run()
    assert not [one for one in store.list(active=True) if one.kind == "inspect"]
    assert "Look into the models" in [one.label for one in page.button]
