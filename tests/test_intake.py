"""Uploads read by a process of their own: what comes of each, and that nothing else stays."""

import base64
import io
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
import safetensors.numpy
from PIL import Image

from tests.bombs import announced_png, announced_webp, chunk_bomb, zeros_zip
from tests.pictures import class_files, encoded, picture, png, uploads, zipped
from tl_core import datasets, ingest, owners, weights
from tl_core.catalog import catalog
from tl_core.ingest import WaitingRoom
from tl_core.intake import asking, limited, messages, process, spool
from tl_core.intake.messages import Collected, Images, Weights, Zip
from tl_core.intake.process import Intake
from tl_core.intake.spool import Spool
from tl_core.layouts import layout
from tl_core.limits import MAX_INTAKES, BadInput

FILES = class_files({"cat": 4, "dog": 4})


@pytest.fixture(autouse=True)
def data_directory(home: Path) -> Path:
    return home


def left(home: Path) -> list[str]:
    """What lies in the data directory besides what it is meant to hold: no trace of an upload."""
    found = [*home.glob("uploads/*"), *home.rglob(".unfinished*"), *home.rglob("*.part")]
    return sorted(path.name for path in found)


def zip_intake(content: bytes) -> Intake:
    kept = Spool()
    return Intake(Zip("pets", "target", kept.add("pets.zip", io.BytesIO(content))), kept)


def slow_request(kept: Spool) -> Images:
    """Many large images, which take seconds."""
    large = encoded(Image.new("RGB", (6000, 5000), "red"), "JPEG")
    files = kept.add_all([(f"a/{n}.jpg", io.BytesIO(large)) for n in range(120)])
    return Images("large", "unlabelled", files)


def slow_intake() -> Intake:
    kept = Spool()
    return Intake(slow_request(kept), kept)


def until(true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("It did not happen.")


def test_it_makes_the_same_data_set_and_leaves_nothing_else(home):
    here = ingest.ingest_files(uploads(FILES), name="pets")
    datasets.delete(here.fingerprint)
    intake = zip_intake(zipped({**FILES, "cat/broken.png": b"no picture"}).read())
    made = asking.data_set(intake)
    assert (made.fingerprint, made.images) == (here.fingerprint, here.images)
    assert [file.name for file in made.refused] == ["cat/broken.png"]
    assert intake.progress == ("Reading images", 1.0)
    assert left(home) == []
    assert sys.platform != "linux" or 20 < intake.peak_mb < 150


def test_it_works_for_the_owner_whose_upload_it_is(home):
    with owners.acting("a" * 32):
        kept = Spool()
        assert kept.folder.parent == home / "people" / ("a" * 32) / "uploads"
        files = kept.add_all(uploads(FILES))
        made = asking.data_set(Intake(Images("pets", "target", files), kept))
        assert datasets.load(made.fingerprint).classes == ("cat", "dog")
    assert left(home) == []


BOMBS = {
    "declared": (lambda: zeros_zip(1024), "zip bomb"),
    "lying": (lambda: zeros_zip(1024, declared=1000), "no usable image"),
    "not a zip": (lambda: b"MZ" * 1000, "not a zip file"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_little_memory(name, home):
    make, words = BOMBS[name]
    intake = zip_intake(make())
    with pytest.raises(BadInput, match=words):
        intake.result()
    assert intake.peak_mb is None or intake.peak_mb < 300
    assert left(home) == [] and datasets.all_datasets() == []


def test_image_bombs_are_refused_by_their_headers_and_the_rest_is_kept(home):
    bombs = {
        "cat/pixels.png": announced_png(60_000, 60_000),
        "cat/frames.webp": announced_webp(16_000, 16_000),
        "cat/text.png": chunk_bomb(b"zTXt"),
        "cat/profile.png": chunk_bomb(b"iCCP"),
    }
    kept = Spool()
    intake = Intake(Images("pets", "target", kept.add_all(uploads({**FILES, **bombs}))), kept)
    made = asking.data_set(intake)
    assert len(made.images) == len(FILES)
    reasons = {file.name: file.reason for file in made.refused}
    assert set(reasons) == set(bombs)
    assert "far too many megapixels by its header" in reasons["cat/pixels.png"]
    assert "256 megapixels by its header; the limit is 20" in reasons["cat/frames.webp"]
    assert intake.peak_mb is None or intake.peak_mb < 300


def test_images_at_the_limit_are_read_within_the_memory(home):
    large = Image.linear_gradient("L").resize((8000, 5000)).convert("RGB")
    files = {
        f"a/{n}.{end}": encoded(large, form, **more)
        for n, (end, form, more) in enumerate(
            [("jpg", "JPEG", {}), ("jpg", "JPEG", {"progressive": True}), ("bmp", "PNG", {})]
        )
    }
    kept = Spool()
    intake = Intake(Images("large", "unlabelled", kept.add_all(uploads(files))), kept)
    assert len(asking.data_set(intake).images) == 3
    assert intake.peak_mb is None or intake.peak_mb < 500


def test_large_uploads_wait_for_each_other_small_ones_do_not_and_all_can_be_stopped(home, tmp_path):
    kept_before = ingest.ingest_files(uploads(FILES), name="pets")
    running = [slow_intake() for _ in range(MAX_INTAKES)]
    waiting = slow_intake()
    until(lambda: all(intake.progress[0] == "Reading images" for intake in running))
    assert waiting.progress == ("Waiting for other uploads", None)
    assert asking.table("t.csv", io.BytesIO(b"file,light\n1.png,day\n")).rows == (("1.png", "day"),)
    for intake in (waiting, *running):
        intake.cancel()
    for intake in (waiting, *running):
        with pytest.raises(BadInput, match=r"Stopped\. Nothing of this upload was kept"):
            intake.result()
    assert left(home) == []
    assert [data.fingerprint for data in datasets.all_datasets()] == [kept_before.fingerprint]
    assert datasets.pixels(kept_before, 0).shape == (16, 24, 3)


def test_a_killed_or_endless_reading_is_said_and_leaves_nothing(home, monkeypatch):
    intake = slow_intake()
    until(lambda: intake.progress[0] == "Reading images")
    os.kill(intake._process.pid, signal.SIGKILL)
    with pytest.raises(BadInput, match="The system ended the reading"):
        intake.result()
    monkeypatch.setattr(process, "MAX_INTAKE_SECONDS", 1.0)
    with pytest.raises(BadInput, match="took longer than 20 minutes"):
        slow_intake().result()
    assert left(home) == []


def test_what_takes_too_much_memory_ends_alone_with_a_sentence(home):
    commas = io.BytesIO("\U0001f600".encode() + b"," * 24_000_000)
    with pytest.raises(BadInput, match="needs more memory than the 480 MB"):
        asking.table("commas.csv", commas)
    assert left(home) == []


def test_what_nobody_foresaw_is_a_sentence_without_its_traceback(home, caplog):
    kept = Spool()
    file = kept.add("w.safetensors", io.BytesIO(b"x"))
    logger = logging.getLogger("tl_core")
    logger.addHandler(caplog.handler)
    with pytest.raises(BadInput) as caught:
        Intake(Weights("no such model", file), kept).result()
    logger.removeHandler(caplog.handler)
    assert "not foreseen" in str(caught.value)
    assert not any(word in str(caught.value) for word in ("KeyError", "Traceback", str(home)))
    (kept_line,) = {line.getMessage(): line.fields for line in caplog.records}.items()
    assert kept_line[0] == "reading an upload failed" and kept_line[1]["error"] == "KeyError"
    assert kept_line[1]["at"] and str(home) not in str(kept_line)
    assert not any(frame.startswith("/") for frame in kept_line[1]["at"])
    assert left(home) == []


def test_weights_are_checked_and_added_or_refused(home):
    model = catalog()["squeezenet1_1"]
    zeros = {name: np.zeros(shape, "f4") for name, shape in layout(model.name).items()}
    content = safetensors.numpy.save(zeros)
    added = asking.weights(model.name, "own.safetensors", io.BytesIO(content))
    assert weights.available(model.name) == [added]
    long = (200 * 1024**2).to_bytes(8, "little") + b"{" * 100
    for bad in (content[: len(content) // 2], long, b"PK\x03\x04 a pickled checkpoint"):
        with pytest.raises(BadInput, match="not a readable safetensors file") as caught:
            asking.weights(model.name, "bad.safetensors", io.BytesIO(bad))
        assert str(home) not in "\n".join(caught.value.details)
    assert weights.available(model.name) == [added]
    assert left(home) == []


def test_bursts_and_files_wait_as_if_they_had_been_read_here(tmp_path):
    rooms = [WaitingRoom(tmp_path / name) for name in ("here", "there")]
    frames = [base64.b64encode(encoded(picture(n, (64, 48)), "JPEG")).decode() for n in range(3)]
    burst = {"id": "b", "label": "cat", "frames": [*frames, "bm8="]}
    loose = {"1.png": png(1), "notes.txt": b"x", ".hidden": b"x", "2.png": b"no picture"}
    for room, ways in zip(rooms, ((), (asking.keep_burst, asking.keep_files)), strict=True):
        room.add_class("cat")
        said = room.take_burst(burst, *ways[:1])
        assert said == "3 pictures taken: burst 1 of cat. 1 picture refused."
        assert room.take_files("dog", uploads(loose), *ways[1:]) == 1
    here, there = rooms
    assert (here.refused, here.stray) == (there.refused, there.stray)
    assert [one.name for one in here.classes["cat"]] == [one.name for one in there.classes["cat"]]
    files = [sorted(path.name for path in room.folder.iterdir()) for room in rooms]
    assert files[0] == files[1] and len(files[0]) == 7


def test_what_waits_becomes_the_same_data_set(home, tmp_path):
    room = WaitingRoom(tmp_path / "room")
    for first, label in ((0, "cat"), (10, "dog")):
        room.take_files(label, uploads({f"{n}.png": png(first + n) for n in range(5)}))
    here = ingest.ingest_waiting(room, name="own")
    datasets.delete(here.fingerprint)
    made = asking.data_set(Intake(Collected("own", room), Spool()))
    assert (made.fingerprint, made.images) == (here.fingerprint, here.images)
    assert len(list(room.folder.iterdir())) > 0


@pytest.mark.parametrize("limit", ["MAX_ENTRIES", "MAX_UPLOAD_BYTES"])
def test_uploads_are_counted_on_their_way_to_disk(limit, home, monkeypatch):
    monkeypatch.setattr(spool, limit, 5)
    with pytest.raises(BadInput, match="Bring fewer"):
        Spool().add_all(uploads(FILES))
    assert left(home) == []


def test_a_full_disk_is_said_before_anything_is_read(home, monkeypatch):
    def full(path, *_):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(BadInput, match=r"\(No space left on device\). Nothing was kept") as caught:
        Spool().add("1.png", io.BytesIO(b"x"))
    monkeypatch.undo()
    assert str(home) not in str(caught.value)


def test_what_a_killed_server_left_is_removed_after_a_day(home):
    for name, age in (("old", 100_000), ("new", 0)):
        (home / "uploads" / name).mkdir(parents=True)
        os.utime(home / "uploads" / name, (time.time() - age,) * 2)
    Spool()
    assert left(home) == ["new"]


def test_names_are_cut_and_never_part_of_a_path(home):
    kept = Spool()
    file = kept.add("../\udcff" + "x" * 10_000, io.BytesIO(b"1"))
    assert Path(file.path).parent == kept.folder and len(file.name) == 4096
    msgspec.json.encode(file)
    kept.remove()


def test_it_ends_when_nobody_waits_any_more_and_imports_neither_torch_nor_streamlit():
    code = (
        "import sys, tl_core.intake.__main__ as main\n"
        "print([name for name in ('torch', 'streamlit', 'scipy') if name in sys.modules])\n"
        "main.main()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    kept = Spool()
    order = messages.Order(owners.LOCAL, kept.mark, slow_request(kept))
    assert child.stdout.readline().strip() == b"[]"
    child.stdin.write(messages.encode(order))
    child.stdin.flush()
    assert isinstance(messages.answers.decode(child.stdout.readline()), messages.Progress)
    child.stdin.close()
    assert child.wait(30) == 0
    assert b"taken" not in child.stdout.read()
    child.stdout.close()


def test_the_limits_are_set():
    pytest.importorskip("resource")
    code = (
        "import os, resource as r; from tl_core.intake import limited; limited.limit();"
        "print(r.getrlimit(r.RLIMIT_FSIZE)[0], *r.getrlimit(r.RLIMIT_CORE), os.nice(0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    turn = os.nice(0) + limited.INTAKE_NICENESS
    assert done.stdout.split() == [str(limited.MAX_INTAKE_FILE_BYTES), "0", "0", str(turn)]
