"""The pages Data, Model & layers and History, as a user meets them (no browser)."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests import factories, scripted
from tests.pictures import class_files, png, uploads, zipped
from tl_core import datasets, ingest, weights
from tl_core.catalog import catalog, find
from tl_core.config import DRAWN
from tl_core.events import Progress
from tl_core.ingest import source_probe
from tl_core.procedural import CLASSES
from tl_core.store import Store
from tl_ui.state import Choice

FIRST = next(iter(ingest.SAMPLES.values()))
HOSTILE = "![x](http://evil.example/x.png) <b> :smile:"


def two_classes(first: str = "ant", second: str = "bee") -> dict[str, bytes]:
    """Return five files of each of two classes by relative name."""
    files = class_files({first: 5, second: 5})
    return {f"pets/{name}": content for name, content in files.items()}


def take_in(kind: datasets.Kind = "target", **names: str) -> datasets.Dataset:
    """Put a data set of two classes into the data directory."""
    return ingest.ingest_files(uploads(two_classes(**names)), name="pets", kind=kind)


def texts(at: AppTest) -> str:
    """Return all text of a page, one piece a line, Markdown escapes removed."""
    kinds = (at.markdown, at.caption, at.error, at.warning, at.subheader, at.info)
    return "\n".join(str(piece.value) for kind in kinds for piece in kind).replace("\\", "")


# Shell


@pytest.mark.parametrize("page", ["data", "model", "trust", "history"])
def test_every_page_says_where_images_stay_and_what_is_chosen(app, page: str) -> None:
    strip = texts(app(page))
    assert "Images stay on this machine" in strip
    assert f"{FIRST.title}: 520 images, 8 classes" in strip
    assert "ResNet-10, drawn shapes, Apache-2.0" in strip


def test_the_strip_names_the_device_a_worker_reported(app, home: Path) -> None:
    store = Store()
    store.set_device({"device": "cpu", "device_name": "Some CPU, 2 cores"})
    store.close()
    assert "CPU (Some CPU, 2 cores)" in texts(app("history"))


def test_the_strip_speaks_of_the_comparison_that_is_shown(app) -> None:
    store = Store()
    job = store.create(scripted.config(scripted.Scenario(name="Road signs")), "mine", queued=False)
    store.finish(job, "done")
    store.close()
    at = app("history")
    at.query_params["job"] = job
    strip = texts(at.switch_page("pages/lab.py").run())
    assert "Road signs" in strip
    assert "ResNet-18, weights" in strip
    assert FIRST.title not in strip.splitlines()[0]


# Data


def test_the_gallery_shows_every_sample_and_makes_only_what_is_used(app) -> None:
    at = app("data")
    shown = texts(at)
    for sample in ingest.SAMPLES.values():
        assert sample.title in shown
        assert sample.summary in shown
        assert sample.lesson in shown
    assert [data.name for data in datasets.all_datasets("target")] == [FIRST.title]
    assert at.button(key=f"sample_{next(iter(ingest.SAMPLES))}").disabled
    at.button(key="sample_digits").click().run()
    assert not at.exception
    digits = datasets.load(at.session_state["choice"].dataset)
    assert ingest.sample_name(digits) == "digits"
    assert at.toggle(key=f"mirror_{digits.fingerprint[:8]}").disabled
    assert "a mirrored picture would be another class" in texts(at)
    assert at.button(key="sample_digits").disabled


def test_a_zip_becomes_the_chosen_data_set_and_can_be_undone(app) -> None:
    at = app("data")
    at.segmented_control(key="way").set_value("own").run()
    at.segmented_control(key="target_mode").set_value("zip").run()
    files = {**two_classes(), "pets/ant/broken.png": b"no picture"}
    at.file_uploader(key="target_zip_0").upload("pets.zip", zipped(files).read()).run()
    assert not at.exception
    dataset = datasets.load(at.session_state["choice"].dataset)
    assert (dataset.name, dataset.classes, len(dataset.images)) == ("pets", ("ant", "bee"), 10)
    assert "pets: 10 images in 2 classes taken in; 1 file refused." in texts(at)
    refused = next(frame.value for frame in at.dataframe if "Why" in frame.value)
    assert refused["File"].tolist() == ["pets/ant/broken.png"]
    at.button(key="flash_undo").click().run()
    assert at.session_state["choice"].dataset is None


def test_a_folder_upload_reads_classes_from_paths_and_empties_the_uploader(app) -> None:
    at = app("data")
    at.segmented_control(key="way").set_value("own").run()
    uploader = at.file_uploader(key="target_folder_0")
    for name, content in two_classes().items():
        uploader = uploader.upload(name, content)
    uploader.run()
    assert not at.exception
    assert datasets.load(at.session_state["choice"].dataset).classes == ("ant", "bee")
    assert at.file_uploader(key="target_folder_1").value == []


def test_an_uploads_memory_is_given_back_at_once(app, monkeypatch) -> None:
    """Without that, the files of an emptied uploader stay until the session ends."""
    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager as Manager

    held: dict[str, int] = {}
    add, remove = Manager.add_file, Manager.remove_file

    def count_in(manager, session_id, file) -> None:
        held[file.file_id] = len(file.data)
        add(manager, session_id, file)

    def count_out(manager, session_id, file_id) -> None:
        held.pop(file_id, None)
        remove(manager, session_id, file_id)

    monkeypatch.setattr(Manager, "add_file", count_in)
    monkeypatch.setattr(Manager, "remove_file", count_out)
    at = app("data", way="own")
    uploader = at.file_uploader(key="target_folder_0")
    for name, content in two_classes().items():
        uploader = uploader.upload(name, content)
    assert len(held) in (0, 10)
    uploader.run()
    assert not at.exception and at.session_state["choice"].dataset is not None
    assert held == {}


def test_what_cannot_be_used_is_explained_and_changes_nothing(app) -> None:
    at = app("data")
    at.segmented_control(key="way").set_value("own").run()
    at.segmented_control(key="target_mode").set_value("zip").run()
    one_class = {"pets/ant/1.png": png(1)}
    at.file_uploader(key="target_zip_0").upload("pets.zip", zipped(one_class).read()).run()
    assert not at.exception
    assert len(at.error) == 1 and "class" in at.error[0].value
    assert at.session_state["choice"].dataset is None


def test_loose_files_are_collected_class_after_class(app) -> None:
    at = app("data")
    at.segmented_control(key="way").set_value("own").run()
    at.segmented_control(key="target_mode").set_value("classes").run()
    assert at.file_uploader(key="target_classes_0").disabled
    for turn, name in enumerate(("ant", HOSTILE)):
        at.text_input(key=f"class_name_{turn}").set_value(name).run()
        uploader = at.file_uploader(key=f"target_classes_{turn}")
        for number in range(4):
            uploader = uploader.upload(f"{number}.png", png(10 * turn + number))
        uploader.run()
        assert not at.exception
        assert at.button(key="make_staged").disabled is (turn == 0)
    at.text_input(key="staged_name").set_value("mine").run()
    at.button(key="make_staged").click().run()
    assert not at.exception
    assert not at.error, texts(at)
    dataset = datasets.load(at.session_state["choice"].dataset)
    assert dataset.name == "mine" and len(dataset.images) == 8
    assert HOSTILE in dataset.classes


def test_a_dropped_folder_of_one_class_may_hold_anything(app) -> None:
    at = app("data")
    at.segmented_control(key="way").set_value("own").run()
    at.segmented_control(key="target_mode").set_value("classes").run()
    at.text_input(key="class_name_0").set_value("ant").run()
    files = {".DS_Store": b"x", "notes.txt": b"x", "old.zip": b"x", "1.png": png(1)}
    uploader = at.file_uploader(key="target_classes_0")
    for name, content in files.items():
        uploader = uploader.upload(name, content)
    uploader.run()
    assert not at.exception
    assert "ant: 1 picture added; 3 other files left out." in texts(at)
    listed = next(
        frame.value for frame in at.dataframe if "Files that were not taken" in frame.value
    )
    assert sorted(line.split(":")[0] for line in listed["Files that were not taken"]) == [
        "notes.txt",
        "old.zip",
    ]
    assert "Still missing: At least two classes are needed. ant: 1 of at least 4" in texts(at)


def test_a_class_with_too_few_images_is_named_and_its_files_keep_waiting(app) -> None:
    at = app("data")
    at.segmented_control(key="way").set_value("own").run()
    at.segmented_control(key="target_mode").set_value("classes").run()
    for turn, name in enumerate(("ant", "bee")):
        at.text_input(key=f"class_name_{turn}").set_value(name).run()
        uploader = at.file_uploader(key=f"target_classes_{turn}")
        for number in range(4):
            broken = name == "bee" and number == 0
            content = png(10 * turn + number)[: 300 if broken else None]
            uploader = uploader.upload(f"{number}.png", content)
        uploader.run()
    at.button(key="make_staged").click().run()
    assert not at.exception
    assert "bee" in at.error[0].value
    assert {name: len(files) for name, files in at.session_state["waiting"].classes.items()} == {
        "ant": 4,
        "bee": 4,
    }


def test_waiting_files_of_a_removed_class_are_not_used(app) -> None:
    at = app("data")
    at.segmented_control(key="way").set_value("own").run()
    at.segmented_control(key="target_mode").set_value("classes").run()
    at.text_input(key="class_name_0").set_value("ant").run()
    at.file_uploader(key="target_classes_0").upload("1.png", png(1)).run()
    assert "ant" in at.session_state["waiting"].classes
    at.button(key="unstage_ant").click().run()
    assert at.session_state["waiting"].classes == {}
    at.button(key="flash_undo").click().run()
    assert len(at.session_state["waiting"].classes["ant"]) == 1


def test_an_earlier_data_set_is_chosen_from_the_list_and_deleted(app, home: Path) -> None:
    dataset = take_in()
    at = app("data")
    at.segmented_control(key="way").set_value("kept").run()
    at.button(key="target_use").click().run()
    assert at.session_state["choice"].dataset == dataset.fingerprint
    at.button(key="target_delete").click().run()
    assert not at.exception
    assert [d.name for d in datasets.all_datasets()] == [FIRST.title]
    assert f"{FIRST.title}: 520 images" in texts(at)


@pytest.mark.parametrize("kind", ["compare", "sweep"])
def test_a_data_set_in_use_by_what_waits_is_not_deleted(app, home: Path, kind: str) -> None:
    dataset = take_in()
    store = Store()
    data = factories.DataConfig(fingerprint=dataset.fingerprint, name="pets")
    store.create(factories.comparison_config(data=data), "waits", kind=kind)
    at = app("data")
    at.segmented_control(key="way").set_value("kept").run()
    assert ("1 comparison used it" in texts(at)) == (kind == "compare")
    at.button(key="target_delete").click().run()
    assert "being used by a comparison" in texts(at)
    assert datasets.load(dataset.fingerprint)


def test_mirroring_is_offered_where_it_makes_sense(app, home: Path) -> None:
    digits = ingest.sample("digits")
    assert app("data", Choice(dataset=digits.fingerprint)).toggle[0].disabled
    dataset = take_in()
    at = app("data", Choice(dataset=dataset.fingerprint))
    at.toggle[0].set_value(False).run()
    assert datasets.load(dataset.fingerprint).mirror is False


def test_hostile_names_reach_the_page_escaped(app, home: Path) -> None:
    dataset = take_in(first=HOSTILE.replace("/", ""))
    at = app("data", Choice(dataset=dataset.fingerprint))
    shown = [piece.value for piece in at.markdown if "evil" in piece.value]
    assert shown and all(r"\!\[x\]\(" in value for value in shown)


def test_source_images_say_what_they_cover(app, home: Path) -> None:
    probe = take_in("probe", first="bee", second="no such thing")
    text = texts(app("data", Choice(backbone="resnet18", probe=probe.fingerprint)))
    assert "5 images of 1 of 1,000 source classes" in text
    assert "under 20 images predictions are shown, but no rate" in text


def test_the_bundled_model_has_source_images_without_a_user(app, monkeypatch) -> None:
    at = app("data")
    assert "1,000 source images, drawn here** in the background" in texts(at)
    monkeypatch.setattr(source_probe, "COUNT", len(CLASSES))
    source_probe.drawn(find(weights.FIRST_MODEL))
    text = texts(at.run())
    assert f"{len(CLASSES)} source images, drawn here" in text
    assert f"measured on {len(CLASSES)} of {len(CLASSES)} source classes" in text
    # Not among what a user brought, and not to be deleted.
    assert "probe_delete" not in {button.key for button in at.button}


def test_drawn_source_images_can_be_turned_off_and_on(app) -> None:
    at = app("data")
    at.button(key="probe_off").click().run()
    assert at.session_state["choice"].probe is None
    assert "drawn here" not in texts(at)
    at.button(key="flash_undo").click().run()
    assert at.session_state["choice"].probe == DRAWN
    at.button(key="probe_off").click().run()
    at.button(key="probe_draw").click().run()
    assert at.session_state["choice"].probe == DRAWN


def test_brought_source_images_go_before_drawn_ones(app, home: Path) -> None:
    probe = take_in("probe", first="circle", second="three")
    at = app("data", Choice(probe=probe.fingerprint))
    assert f"2 of {len(CLASSES)} source classes" in texts(at)
    at.button(key="probe_draw").click().run()
    assert at.session_state["choice"].probe == DRAWN


def test_photographs_have_to_be_brought(app) -> None:
    at = app("data", Choice(backbone="resnet18"))
    assert "Without them the app shows drift only" in texts(at)
    assert not {"probe_off", "probe_draw"} & {button.key for button in at.button}


# Model & layers


@pytest.fixture
def with_weights(home: Path, random_weights: Callable[[str], Path]) -> Choice:
    """Weights of the smallest model in the data directory, and the model chosen."""
    row = find("squeezenet1_1")
    added = weights.add(row, random_weights(row.name), name="mine")
    return Choice(backbone=row.name, weights=added.sha256)


def test_a_model_without_weights_names_two_ways_out_and_starts_a_download(app) -> None:
    at = app("model", Choice(backbone="mobilenet_v3_small"))
    assert "download 10 MB once" in at.warning[0].value
    assert ".safetensors" in at.warning[0].value
    at.button(key="download").click().run()
    assert not at.exception
    jobs = Store().list(kind="download")
    assert [(job.kind, job.request) for job in jobs] == [
        ("download", {"model": "mobilenet_v3_small"})
    ]
    store = Store()
    job = store.claim()
    store.append(job.id, [Progress(message="Downloading ResNet-18", fraction=0.4)])
    at.run()
    assert at.progress[0].value == 40
    store.finish(job.id, "failed", "Offline. Connect to the internet and try again.")
    at.run()
    assert "Offline" in at.error[0].value
    assert at.button(key="download")


def test_weights_that_do_not_fit_are_refused_with_every_fault(
    app, random_weights: Callable[[str], Path]
) -> None:
    at = app("model", Choice(backbone="mobilenet_v3_small"))
    content = random_weights("squeezenet1_1").read_bytes()
    at.file_uploader(key="weights_file_0").upload("other.safetensors", content).run()
    assert not at.exception
    assert "SqueezeNet" in at.error[0].value
    assert at.session_state["choice"].weights is None


def test_own_weights_are_used_at_once(app, random_weights: Callable[[str], Path]) -> None:
    at = app("model", Choice(backbone="squeezenet1_1"))
    content = random_weights("squeezenet1_1").read_bytes()
    at.file_uploader(key="weights_file_0").upload("own.safetensors", content).run()
    assert not at.exception
    (file,) = weights.available("squeezenet1_1")
    assert at.session_state["choice"].weights == file.sha256


def test_the_bundled_model_is_chosen_and_needs_no_download(app) -> None:
    at = app("model")
    assert at.session_state["choice"].backbone == weights.FIRST_MODEL
    text = texts(at)
    assert "comes with the app" in text
    assert "Commercial use is allowed" in text
    assert "download" not in {button.key for button in at.button}
    assert not at.warning and not at.error


def test_a_copy_without_the_bundled_weights_says_so(app, monkeypatch) -> None:
    monkeypatch.setattr(weights, "bundled", lambda model: None)
    at = app("model", Choice(backbone=weights.FIRST_MODEL))
    assert "missing from this copy" in at.error[0].value
    assert "download" not in {button.key for button in at.button}
    at.switch_page("pages/lab.py").run()
    assert "missing from this copy" in texts(at)


@pytest.mark.parametrize("name", catalog())
def test_every_model_shows_its_terms_and_layers(app, name: str) -> None:
    row = find(name)
    at = app("model", Choice(backbone=name))
    assert row.weights.commercial in texts(at)
    assert at.slider(key="layers_upto").max == len(row.blocks)


def test_choosing_another_model_drops_weights_and_layers_of_the_old_one(app, with_weights) -> None:
    at = app("model", with_weights)
    at.selectbox(key="model_name").set_value("vit_b_16").run()
    choice = at.session_state["choice"]
    assert (choice.backbone, choice.weights, choice.frozen) == ("vit_b_16", None, None)


def test_another_source_task_drops_class_map_and_source_images_and_can_be_undone(
    app, home: Path
) -> None:
    probe = take_in("probe", first="bee")
    chosen = Choice(backbone="resnet18", probe=probe.fingerprint, class_map={"0": (5,)})
    at = app("model", chosen)
    at.selectbox(key="model_name").set_value("vit_b_16").run()
    kept = at.session_state["choice"]
    assert (kept.probe, kept.class_map) == (chosen.probe, chosen.class_map)
    at.selectbox(key="model_name").set_value(weights.FIRST_MODEL).run()
    changed = at.session_state["choice"]
    assert (changed.probe, changed.class_map) == (DRAWN, {})
    assert "Your class map and source images belonged to ViT-B/16" in texts(at)
    at.button(key="flash_undo").click().run()
    assert at.session_state["choice"] == kept


def trainable(at: AppTest) -> str:
    return next(m.value for m in at.metric if m.label == "Trainable parameters")


def test_slider_and_presets_change_the_count_of_trainable_parameters(app) -> None:
    at = app("model", Choice(backbone="squeezenet1_1"))
    row = find("squeezenet1_1")
    at.button(key="preset_feature_extraction").click().run()
    assert at.slider(key="layers_upto").value == len(row.blocks)
    assert trainable(at).startswith("4.1 k of")
    at.slider(key="layers_upto").set_value(0).run()
    body = sum(block.parameters for block in row.blocks)
    assert body + 4104 == 726_600
    assert trainable(at) == "727 k of 727 k"


def test_own_layers_join_the_comparison_and_follow_the_table(app) -> None:
    at = app("model", Choice(backbone="squeezenet1_1"))
    at.toggle(key="layers_use").set_value(True).run()
    assert at.session_state["choice"].frozen == (True,) * 7 + (False,) * 2
    at.slider(key="layers_upto").set_value(3).run()
    assert at.session_state["choice"].frozen == (True,) * 3 + (False,) * 6
    at.switch_page("pages/history.py").run()
    at.switch_page("pages/model.py").run()
    assert at.slider(key="layers_upto").value == 3
    at.toggle(key="layers_use").set_value(False).run()
    assert at.session_state["choice"].frozen is None


def test_an_ambiguous_class_is_left_to_the_user(app, home: Path) -> None:
    dataset = take_in(first="crane", second="bees")
    at = app("model", Choice(backbone="resnet18", dataset=dataset.fingerprint))
    table = next(frame.value for frame in at.dataframe if "Source classes" in frame.value)
    assert table["Source classes"].tolist()[1] == "none"
    candidates = [b for b in at.button if (b.key or "").startswith("candidate_crane")]
    assert len(candidates) == 2
    candidates[0].click().run()
    assert at.session_state["choice"].class_map == {"crane": (134,)}


def test_the_class_map_is_edited_and_goes_back_to_the_suggestions(app, home: Path) -> None:
    dataset = take_in()
    at = app("model", Choice(backbone="resnet18", dataset=dataset.fingerprint))
    at.multiselect[0].set_value([308, 310]).run()
    assert at.session_state["choice"].class_map == {"ant": (308, 310)}
    next(b for b in at.button if b.label == "Back to the suggestions").click().run()
    assert at.session_state["choice"].class_map == {}


# History


def finished(store: Store, name: str) -> str:
    scenario = scripted.Scenario(seeds=1)
    job = store.create(scripted.config(scenario), name)
    store.claim()
    store.append(job, scripted.events(scenario))
    store.finish(job, "done")
    return job


def test_an_empty_history_says_so(app) -> None:
    assert "Nothing has been compared yet" in texts(app("history"))


def test_a_finished_comparison_shows_what_it_recommended(app, home: Path) -> None:
    store = Store()
    finished(store, HOSTILE)
    at = app("history")
    text = texts(at)
    assert "Recommended: **Feature extraction**" in text
    assert "Handwritten digits · ResNet-18 · 5 strategies · quick, 1 seed" in text
    assert r"\!\[x\]\(" in at.get("page_link")[0].proto.label


def test_a_page_of_history_shows_the_newest_of_many(app, home: Path) -> None:
    store = Store()
    for number in range(30):
        job = store.create(factories.comparison_config(), f"number {number}")
        store.request_cancel(job)
    at = app("history")
    links = [link.proto.label for link in at.get("page_link")]
    assert r"**number 29**" in links and r"**number 17**" not in links
    at.text_input(key="history_search").set_value("number 17").run()
    assert [b.key for b in at.button if (b.key or "").startswith("resume_")] != []
    assert "1 of 30 comparisons" in texts(at)


def test_a_cancelled_comparison_is_continued(app, home: Path) -> None:
    store = Store()
    job = store.create(factories.comparison_config(), "again")
    store.request_cancel(job)
    at = app("history")
    at.button(key=f"resume_{job}").click().run()
    assert store.get(job).status == "queued"
    at.button(key=f"cancel_{job}").click().run()
    assert store.get(job).status == "cancelled"


def test_a_comparison_is_renamed_with_undo_and_deleted(app, home: Path) -> None:
    store = Store()
    job = finished(store, "first name")
    at = app("history")
    at.text_input(key=f"rename_{job}").set_value("second name").run()
    assert store.get(job).name == "second name"
    at.button(key="flash_undo").click().run()
    assert store.get(job).name == "first name"
    at.button(key=f"delete_{job}").click().run()
    assert not at.exception
    assert store.get(job) is None


def test_the_reason_of_a_failure_is_on_the_page(app, home: Path) -> None:
    store = Store()
    job = store.create(factories.comparison_config(), "fails")
    store.claim()
    store.finish(job, "failed", "The training process ended unexpectedly.")
    assert "The training process ended unexpectedly." in texts(app("history"))


def test_a_running_comparison_shows_how_far_it_is_everywhere(app, home: Path) -> None:
    store = Store()
    job = store.create(factories.comparison_config(), "runs")
    store.claim()
    store.append(job, [Progress(message="Full fine-tuning, seed 1", fraction=0.25)])
    at = app("history")
    assert at.progress[0].value == 25
    assert at.button(key=f"delete_{job}").disabled
    labels = [link.proto.label for link in app("data").get("page_link")]
    assert "1 job running" in labels
