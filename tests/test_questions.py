"""Questions without a comparison, on real files with a small model."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image

from tl_core import events as ev
from tl_core import ingest, transferability, weights
from tl_core.answers import QUESTIONS, Ranking, Shift, Soundness, Stress
from tl_core.catalog import catalog
from tl_core.checks import CHECKS
from tl_core.config import ComparisonConfig, DataConfig, NotPossible
from tl_core.domain import DISTANCES
from tl_core.questions import ask
from tl_core.questions.looks import spread, usual
from tl_core.questions.stress import WAYS
from tl_core.variants import VARIANTS


def answer(question: str, config: ComparisonConfig, **request: object):
    """The answer, read back from the line that a job's log keeps."""
    *before, last = ask(question, config, request)
    assert all(isinstance(event, ev.Progress) for event in before)
    return ev.decode(ev.encode(last)).answer


def test_every_question_has_a_room():
    for question in QUESTIONS:
        with pytest.raises((AttributeError, NotPossible)):
            list(ask(question, None, {}))


def test_every_way_is_described_and_does_something_else(small_comparison):
    assert list(WAYS) == list(VARIANTS)
    wanted = catalog()["squeezenet1_1"].preprocessing
    rng = np.random.default_rng(0)
    image = torch.from_numpy(rng.integers(0, 256, (1, 3, 256, 320), dtype=np.uint8))
    right = usual(image, wanted)
    for name, way in WAYS.items():
        found = way(image, wanted)
        assert found.shape == right.shape, name
        assert not torch.equal(found, right), name


def test_stress_measures_every_way_of_handing_images_over(small_comparison):
    found = answer("stress", small_comparison)
    assert isinstance(found, Stress)
    assert [variant.name for variant in found.variants] == list(VARIANTS)
    assert found.images == 4
    assert found.source_accuracy is None
    assert found.zero_shot_accuracy is not None
    by_name = {variant.name: variant for variant in found.variants}
    assert "divided by 255" in by_name["range_255"].noticed
    assert 0 <= by_name["not_normalised"].low < by_name["not_normalised"].high <= 1
    for variant in found.variants:
        loss = variant.target_loss
        assert loss.low <= loss.value <= loss.high
        # An image right before and wrong after is a loss of its share, never of more.
        assert abs(loss.value) <= 100


def test_only_the_wanted_mistakes_are_made(small_comparison):
    found = answer("stress", small_comparison, variants=["bgr", "greyscale"])
    assert [variant.name for variant in found.variants] == ["bgr", "greyscale"]
    with pytest.raises(NotPossible, match="sideways"):
        list(ask("stress", small_comparison, {"variants": ["sideways"]}))


def test_spread_takes_all_or_evenly_from_first_to_last():
    assert spread((3, 5, 9), 4) == [3, 5, 9]
    assert spread(range(101), 3) == [0, 50, 100]


def test_rank_scores_local_models_on_the_training_part(small_comparison):
    found = answer("rank", small_comparison)
    assert isinstance(found, Ranking)
    assert found.images == 16
    assert [model.model for model in found.models] == [
        file.model for file in weights.local_models()
    ]
    shown = {name for name, score in transferability.SCORES.items() if score.on_screen}
    for model in found.models:
        assert model.scores.keys() <= shown
        assert model.milliseconds > 0
    only = answer("rank", small_comparison, models=[small_comparison.weights_sha256])
    assert [model.model for model in only.models] == ["mobilenet_v3_small"]


@pytest.mark.reference
@pytest.mark.parametrize("swapped", [False, True])
def test_swapped_channels_of_photographs_are_noticed(home, reference, tmp_path, swapped):
    row = catalog()["squeezenet1_1"]
    file = weights.add(row, reference / "weights/squeezenet1_1-imagenet.safetensors", name="w")
    folder = tmp_path / "photos"
    for path in sorted((reference / "data/hymenoptera/train").glob("*/*.jpg"))[::3]:
        image = np.asarray(Image.open(path).convert("RGB").resize((256, 256)))
        into = folder / path.parent.name / f"{path.stem}.png"
        into.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., ::-1] if swapped else image).save(into)
    data = ingest.ingest_path(folder)
    config = ComparisonConfig(
        data=DataConfig(fingerprint=data.fingerprint, name=data.name),
        backbone=row.name,
        weights_sha256=file.sha256,
        strategies=(),
        device="cpu",
        precision="float32",
        threads=1,
    )
    found = answer("stress", config)
    assert ("BGR" in found.mismatch) == swapped
    bgr = next(variant for variant in found.variants if variant.name == "bgr")
    assert ("BGR" in bgr.noticed) == (not swapped)
    assert (bgr.familiarity.low > 0) == swapped


def test_check_runs_every_check_and_compares_with_the_source(small_comparison, tmp_path):
    folder = tmp_path / "probe"
    for name in ("tench", "bee"):
        _pictures(folder / name, 6, 6)
    probe = ingest.ingest_path(folder, kind="probe")
    data = msgspec.structs.replace(
        small_comparison.data, probe=probe.fingerprint, probe_name=probe.name
    )
    found = answer("check", msgspec.structs.replace(small_comparison, data=data))
    assert isinstance(found, Soundness)
    assert [finding.kind for finding in found.findings] == list(CHECKS)
    assert found.mismatch == ""
    assert (found.images, found.source_images) == (24, 24)
    assert [one.name for one in found.distances] == list(DISTANCES)
    alone = answer("check", small_comparison)
    assert (alone.source, alone.distances) == (None, ())


def _pictures(folder: Path, bright: int, dark: int) -> Path:
    """Write new images of the two classes, in one folder."""
    rng = np.random.default_rng(9)
    folder.mkdir(parents=True)
    for number in range(bright + dark):
        pixels = rng.integers(0, 60, (48, 64, 3)) + (180 if number < bright else 60)
        if number >= bright:
            pixels[:, :: 4 + number % 3] += 90
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png")
    return folder


def test_shift_estimates_how_often_classes_occur(small_comparison, tmp_path):
    new = ingest.ingest_path(_pictures(tmp_path / "new", 24, 6), kind="unlabelled")
    found = answer("shift", small_comparison, unlabelled=new.fingerprint)
    assert isinstance(found, Shift)
    assert found.known == (0.5, 0.5)
    assert not found.refused
    bright = found.classes.index("bright disc")
    assert found.estimated[bright].value == pytest.approx(0.8, abs=0.1)
    assert found.estimated[bright].low < 0.8 < found.estimated[bright].high
    assert found.total_variation == pytest.approx(0.3, abs=0.1)
    assert 0 < found.accuracy.low < found.accuracy.value <= found.accuracy.high <= 1


def test_too_few_unlabelled_images_are_refused(small_comparison, tmp_path):
    new = ingest.ingest_path(_pictures(tmp_path / "new", 5, 5), kind="unlabelled")
    with pytest.raises(NotPossible, match="too few"):
        answer("shift", small_comparison, unlabelled=new.fingerprint)


def test_a_job_answers_a_question_through_the_workers_door(small_comparison, monkeypatch):
    from tl_core import pipe, worker

    sent = []

    class End:
        must_give_way = False

        def send(self, message: object) -> None:
            sent.append(message)

    job = pipe.Job(id="j", kind="rank", config=small_comparison, request={})
    job = pipe.to_worker.decode(pipe.encode(job))
    assert isinstance(worker.run(job, End()), pipe.Done)
    assert isinstance(sent[-1].event, ev.Answered)
    msgspec.json.encode(sent[-1])


def test_unlabelled_images_need_no_folders(home: Path, picture_folder: Path):
    found = ingest.ingest_path(picture_folder, kind="unlabelled")
    assert len(found.images) == 24
    assert len(found.classes) == 1
    assert found.fingerprint != ingest.ingest_path(picture_folder).fingerprint
