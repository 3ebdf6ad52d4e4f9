"""Taking pictures on the Data page, without a browser: what is named, shown, missing, undone."""

import base64
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tests.pictures import encoded, picture, png
from tl_core import datasets
from tl_core.ingest import WaitingRoom


def texts(at: AppTest) -> str:
    kinds = (at.markdown, at.caption, at.error)
    return "\n".join(str(piece.value) for kind in kinds for piece in kind).replace("\\", "")


def add(at: AppTest, name: str) -> AppTest:
    at.text_input(key="camera_class").set_value(name)
    next(button for button in at.button if button.label == "Add class").click().run()
    assert not at.exception
    return at


def record(at: AppTest, label: str, first: int, frames: int = 4) -> None:
    """Let a burst arrive, as the component's message does."""
    room: WaitingRoom = at.session_state["waiting"]
    pictures = [encoded(picture(first + n, (64, 48)), "JPEG") for n in range(frames)]
    sent = [base64.b64encode(content).decode() for content in pictures]
    room.take_burst({"id": f"{label}{first}", "label": label, "frames": sent})


@pytest.fixture
def page(app: Callable[..., AppTest]) -> AppTest:
    at = app("data", way="own")
    at.segmented_control(key="target_mode").set_value("camera").run()
    assert not at.exception
    return at


def test_classes_are_named_first_and_names_are_checked(page):
    assert "Name the first class" in texts(page)
    add(page, "cup")
    add(page, " ")
    assert "Type the name of the class first." in texts(page)
    add(page, "cup")
    assert "There is a class 'cup' already." in texts(page)
    add(page, "![x](http://evil.example) <b>")
    assert list(page.session_state["waiting"].classes) == ["cup", "![x](http://evil.example) <b>"]
    assert any(r"\!\[x\]\(" in piece.value for piece in page.markdown)
    assert "Still missing: cup: 0 of at least 4 pictures." in texts(page)


def test_classes_and_bursts_are_renamed_and_removed_with_undo(page):
    add(add(page, "cup"), "spoon")
    for first in (0, 100):
        record(page, "cup", first)
    page.run()
    assert "**cup**: 8 pictures in 2 bursts" in texts(page)
    page.text_input(key="rename_cup").set_value("mug").run()
    page.button(key="rename_cup_go").click().run()
    assert "cup is now called mug." in texts(page)
    page.button(key="flash_undo").click().run()
    page.button(key="unstage_burst_1").click().run()
    assert "Burst 1 of cup removed, 4 pictures." in texts(page)
    assert "**cup**: 4 pictures in 1 burst" in texts(page)
    page.button(key="flash_undo").click().run()
    page.button(key="unstage_cup").click().run()
    assert list(page.session_state["waiting"].classes) == ["spoon"]
    page.button(key="flash_undo").click().run()
    assert not page.exception
    room = page.session_state["waiting"]
    assert [len(pictures) for pictures in room.bursts("cup").values()] == [4, 4]
    assert list(room.classes) == ["cup", "spoon"]


def test_bursts_and_files_become_a_data_set_and_go_on_waiting(page):
    add(add(page, "cup"), "spoon")
    for number in range(3):
        assert page.button(key="make_staged").disabled
        record(page, "cup", 100 * number)
        record(page, "spoon", 1000 + 100 * number)
        page.run()
    page.file_uploader(key="camera_files_0").upload("more.png", png(7)).run()
    assert "cup: 1 picture added." in texts(page)
    page.switch_page("pages/lab.py").run()
    page.switch_page("pages/data.py").run()
    assert "**cup**: 12 pictures in 3 bursts, 1 file" in texts(page)
    page.button(key="make_staged").click().run()
    assert not page.exception and not page.error
    data = datasets.load(page.session_state["choice"].dataset)
    assert (len(data.images), len(data.together), data.name) == (25, 6, "My images")
    assert "25 images in 7 groups" in texts(page)
    assert len(page.session_state["waiting"].classes["cup"]) == 13


def test_bursts_that_are_one_are_explained_and_lose_nothing(page):
    add(add(page, "cup"), "spoon")
    for number in range(3):
        record(page, "cup", number)
        record(page, "spoon", 1000 + 100 * number)
    page.run()
    page.button(key="make_staged").click().run()
    assert not page.exception
    assert "fewer than 3 groups: 'cup' (1)" in page.error[0].value.replace("\\", "")
    assert len(page.session_state["waiting"].classes["cup"]) == 12
