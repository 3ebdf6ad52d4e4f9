"""Pictures that wait class by class: what the browser's camera sends, loose files, and undo."""

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from tests.pictures import encoded, picture, png, uploads
from tl_core import datasets, ingest
from tl_core.datasets import split
from tl_core.ingest import BadInput, WaitingRoom
from tl_core.limits import (
    FRAME_SIDE,
    MAX_BURST,
    MAX_FRAME_BYTES,
    MAX_IMAGE_BYTES,
    MIN_GROUPS,
)

SEEDS = range(40)


@pytest.fixture
def room(home: Path) -> WaitingRoom:
    """Two classes without pictures."""
    made = WaitingRoom(home / "uploads" / "mine")
    made.add_class("cup")
    made.add_class("spoon")
    return made


def jpeg(seed: int, size: tuple[int, int] = (64, 48)) -> bytes:
    return encoded(picture(seed, size), "JPEG")


def burst(label: str, first: int, count: int = 5) -> dict[str, object]:
    """A message as the browser sends it; every seed is another picture."""
    texts = [base64.b64encode(jpeg(first + number)).decode() for number in range(count)]
    return {"id": f"{label} {first}", "label": label, "frames": texts}


def broken(**changes: object) -> dict[str, object]:
    """A message of the class "cup" with something else in it."""
    return burst("cup", 0, 1) | changes


def filled(room: WaitingRoom, bursts: int = 4, frames: int = 5) -> WaitingRoom:
    for number in range(bursts):
        for place, label in enumerate(room.classes):
            room.take_burst(burst(label, 1000 * place + 100 * number, frames))
    return room


def in_parts(data: datasets.Dataset, seed: int) -> list[set[str]]:
    part = split(data, seed)
    return [
        {data.images[i].pixels for i in one} for one in (part.train, part.validation, part.test)
    ]


# Bursts


def test_a_burst_waits_with_small_pictures_and_is_told_in_words(room):
    assert room.take_burst(burst("cup", 0)) == "5 pictures taken: burst 1 of cup."
    assert room.take_burst(burst("cup", 10, 1)) == "1 picture taken: burst 2 of cup."
    assert [len(pictures) for pictures in room.bursts("cup").values()] == [5, 1]
    assert all(one.path.exists() and one.thumbnail.exists() for one in room.classes["cup"])


def test_a_burst_that_comes_twice_counts_once(room):
    room.take_burst(burst("cup", 0))
    room.take_burst(burst("cup", 0))
    assert len(room.classes["cup"]) == 5


@pytest.mark.parametrize("frames", [1, 7])
def test_no_split_divides_a_burst(room, frames):
    data = ingest.ingest_waiting(filled(room, 5, frames), name="mine")
    together = [set(group) for group in data.together]
    assert len(together) == (10 if frames > 1 else 0)
    for seed in SEEDS:
        parts = in_parts(data, seed)
        assert sum(map(len, parts)) == 10 * frames
        for group in together:
            assert sum(bool(group & part) for part in parts) == 1
        part = split(data, seed)
        for one in (part.train, part.validation, part.test):
            assert {data.images[i].label for i in one} == {0, 1}


def test_frames_say_where_they_come_from_and_intervals_are_put_right(room):
    data = ingest.ingest_waiting(filled(room), name="mine")
    assert "cup/burst 2/05.jpg" in {image.name for image in data.images}
    assert any("40 images in 8 groups" in note for note in data.notes)


def test_the_same_pictures_without_bursts_are_another_data_set(room, home):
    data = ingest.ingest_waiting(filled(room), name="mine")
    files = [
        (f"{label}/{number}.jpg", io.BytesIO(one.path.read_bytes()))
        for label, pictures in room.classes.items()
        for number, one in enumerate(pictures)
    ]
    loose = ingest.ingest_files(files, name="mine")
    assert loose.together == ()
    assert loose.fingerprint != data.fingerprint
    assert {image.pixels for image in loose.images} == {image.pixels for image in data.images}


@pytest.mark.parametrize("bursts", [1, MIN_GROUPS - 1])
def test_too_few_bursts_are_said_before_anything_is_made(room, bursts):
    filled(room, bursts)
    assert room.shortfall() == [
        f"{label}: {bursts} of at least {MIN_GROUPS} bursts." for label in ("cup", "spoon")
    ]
    with pytest.raises(BadInput, match=f"fewer than 3 groups: 'cup' \\({bursts}\\)") as error:
        ingest.ingest_waiting(room, name="mine")
    assert "at least 3 per class, with a moved camera" in str(error.value)
    assert datasets.all_datasets() == []
    assert len(room.classes["cup"]) == 5 * bursts


def test_just_enough_bursts_fill_every_part_whatever_their_sizes(room):
    for label, start in (("cup", 0), ("spoon", 5000)):
        for number, frames in enumerate((2, 40, 3)):
            room.take_burst(burst(label, start + 1000 * number, frames))
    assert room.shortfall() == []
    data = ingest.ingest_waiting(room, name="mine")
    for seed in SEEDS:
        assert all(in_parts(data, seed))


def test_bursts_with_a_picture_in_common_count_as_one(room):
    filled(room, 3)
    shared = base64.b64encode(jpeg(6999)).decode()
    for number in range(2):
        frames = [shared, base64.b64encode(jpeg(7000 + number)).decode()]
        room.take_burst({"id": str(number), "label": "spoon", "frames": frames})
    room.remove("spoon", burst=2)
    room.remove("spoon", burst=4)
    with pytest.raises(BadInput, match="'spoon' \\(2\\)"):
        ingest.ingest_waiting(room, name="mine")


def test_groups_too_uneven_to_fill_every_part_are_refused(room):
    filled(room, 3)
    room.remove("spoon")
    for number in range(3):
        room.take_files("spoon", uploads({f"{number}.png": png(number)}))
    room.take_burst(burst("spoon", 9000, 1))
    data = ingest.ingest_waiting(room, name="four single pictures are enough")
    assert all(all(in_parts(data, seed)) for seed in SEEDS)
    room.remove("spoon")
    room.take_files("spoon", uploads({f"{number}.png": png(number) for number in range(2)}))
    room.take_burst(burst("spoon", 9100, 30))
    with pytest.raises(BadInput, match="too different sizes"):
        ingest.ingest_waiting(room, name="mine")


# What is no honest burst

BROKEN = base64.b64encode(b"no picture").decode()


@pytest.mark.parametrize(
    "message",
    [
        None,
        "burst",
        5,
        ["cup"],
        {},
        {"id": "1", "label": "cup"},
        broken(label=None),
        broken(label=["cup"]),
        broken(label=3),
        broken(label="x" * 300),
        broken(id=-1),
        broken(id=""),
        broken(count=-3),
        broken(frames="abc"),
        broken(frames={"0": "abc"}),
        broken(frames=[None]),
        broken(frames=[b"x"]),
        broken(frames=[]),
        broken(frames=[BROKEN] * (MAX_BURST + 1)),
        broken(frames=[BROKEN]),
        broken(frames=["ä" * 8]),
        broken(frames=["/" * (4 * MAX_FRAME_BYTES)]),
        burst("no such class", 0),
    ],
)
def test_what_is_no_burst_is_refused_in_a_sentence_and_loses_nothing(room, message):
    room.take_burst(burst("cup", 100))
    with pytest.raises(BadInput) as error:
        room.take_burst(message)
    assert str(error.value).endswith(".")
    assert {label: len(pictures) for label, pictures in room.classes.items()} == {
        "cup": 5,
        "spoon": 0,
    }


def test_single_bad_frames_are_left_out(room):
    large = encoded(picture(1, (FRAME_SIDE + 1, FRAME_SIDE)), "JPEG")
    frames = [base64.b64encode(content).decode() for content in (jpeg(0), b"x", large, jpeg(1))]
    said = room.take_burst(broken(frames=[*frames, "not base64!"]))
    assert said == "2 pictures taken: burst 1 of cup. 3 pictures refused."


def test_frames_are_decoded_only_up_to_their_size(room):
    bomb = encoded(Image.new("RGB", (6000, 6000)), "PNG")
    assert len(bomb) < MAX_FRAME_BYTES
    with pytest.raises(BadInput, match=r"36 megapixels by its header; the limit is 0\.41"):
        room.take_burst(broken(frames=[base64.b64encode(bomb).decode()]))


def test_too_many_pictures_are_refused(room, monkeypatch):
    monkeypatch.setattr("tl_core.ingest.waiting.MAX_ENTRIES", 6)
    room.take_burst(burst("cup", 0))
    with pytest.raises(BadInput, match="There are more than"):
        room.take_burst(burst("cup", 100))
    with pytest.raises(BadInput, match="There are more than"):
        room.take_files("cup", uploads({f"{number}.png": png(number) for number in range(2)}))
    assert len(room.classes["cup"]) == 5


# Classes


@pytest.mark.parametrize("name", ["", "  ", "\n", "\u202e"])
def test_a_class_needs_a_name(room, name):
    with pytest.raises(BadInput, match="Type the name"):
        room.add_class(name)


def test_two_classes_never_share_a_name(room):
    for change in (lambda: room.add_class(" cup "), lambda: room.rename("spoon", "cup")):
        with pytest.raises(BadInput, match="a class 'cup' already"):
            change()
    assert list(room.classes) == ["cup", "spoon"]


@pytest.mark.parametrize("name", ["../cup", "a/b\\c", "C:cup", ".cup", "train", "<b> & ![x](y)"])
def test_any_name_is_data_and_never_a_path(room, name, home):
    filled(room, 3)
    room.rename("cup", name)
    room.take_files(name, uploads({"1.png": png(5)}))
    data = ingest.ingest_waiting(room, name="mine")
    assert name in data.classes
    written = {path.parent for path in (home / "uploads").rglob("*") if path.is_file()}
    assert written == {room.folder}


def test_renaming_keeps_pictures_place_and_bursts_apart(room):
    filled(room, 3)
    assert room.rename("cup", "mug") == "mug"
    assert list(room.classes) == ["mug", "spoon"]
    room.add_class("cup")
    for number in range(3):
        room.take_burst(burst("cup", 5000 + 100 * number))
    data = ingest.ingest_waiting(room, name="mine")
    assert len(data.together) == 9


def test_removing_is_undone_in_place(room):
    filled(room, 3)
    before = {label: list(pictures) for label, pictures in room.classes.items()}
    gone = room.remove("cup")
    assert list(room.classes) == ["spoon"]
    room.put_back("cup", gone, 0)
    assert room.classes == before and list(room.classes) == ["cup", "spoon"]
    taken = room.remove("cup", burst=3)
    assert [len(pictures) for pictures in room.bursts("cup").values()] == [5, 5]
    room.put_back("cup", taken)
    assert [one.burst for one in room.bursts("cup")[3]] == [3] * 5


def test_a_class_named_anew_before_the_undo_keeps_both(room):
    filled(room, 1)
    gone = room.remove("cup")
    room.add_class("cup")
    room.take_burst(burst("cup", 900))
    room.put_back("cup", gone, 0)
    assert len(room.classes["cup"]) == 10


# Loose files


def test_loose_files_are_taken_and_everything_else_is_named(room):
    files = {
        "shots/1.png": png(1),
        "shots/.hidden.png": png(2),
        "Thumbs.db": b"x",
        "shots/list.csv": b"x",
        "more.zip": b"x",
        "film.mp4": b"no picture",
        "huge.png": b"x" * (MAX_IMAGE_BYTES + 1),
        "empty.png": b"",
        "../2.png": png(3),
    }
    assert room.take_files("cup", uploads(files)) == 1
    assert {file.name: file.reason for file in room.refused} == {
        "shots/list.csv": "a text file, not an image",
        "more.zip": "an archive inside the upload is not opened",
        "film.mp4": "not a JPEG, PNG, WebP, BMP, GIF or TIFF image",
        "huge.png": "larger than 25 MB",
        "empty.png": "the file is empty",
        "../2.png": "its name leads out of the upload ('..')",
    }
    assert room.stray == 2


def test_refused_files_reach_the_report_of_the_data_set(room):
    for label, start in (("cup", 0), ("spoon", 10)):
        room.take_files(label, uploads({f"{n}.png": png(start + n) for n in range(4)}))
    room.take_files("cup", uploads({"a.txt": b"x", ".DS_Store": b"x", "b.png": png(9)[:300]}))
    data = ingest.ingest_waiting(room, name="mine")
    assert [file.name for file in data.refused] == ["a.txt", "cup/b.png"]
    assert "Ignored: 1 hidden or system file." in data.notes


def test_pictures_that_are_gone_are_said(room):
    filled(room, 3)
    room.classes["cup"][0].path.unlink()
    with pytest.raises(BadInput, match="waited too long"):
        ingest.ingest_waiting(room, name="mine")


def test_a_full_disk_is_said(room):
    room.folder.parent.mkdir(parents=True)
    room.folder.write_text("a file where the folder should be")
    with pytest.raises(BadInput, match="cannot be kept on disk"):
        room.take_burst(burst("cup", 0))


def test_what_waits_can_be_made_again_with_more(room):
    first = ingest.ingest_waiting(filled(room, 3), name="mine")
    room.take_burst(burst("cup", 8000))
    more = ingest.ingest_waiting(room, name="mine")
    assert (len(first.images), len(more.images)) == (30, 35)
