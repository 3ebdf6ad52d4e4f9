"""The Data page's checks: asked for, shown with their images, acted upon and undone."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pictures import class_files, png, uploads
from tl_core import datasets, ingest
from tl_core.answers import Distance, Estimate, Shift, Soundness
from tl_core.events import Answered, Progress
from tl_core.findings import Finding
from tl_core.store import Store
from tl_ui.state import Choice

APP = str(Path(__file__).resolve().parents[1] / "app.py")
Open = Callable[[], AppTest]


@pytest.fixture
def data(sampled_home: Path) -> datasets.Dataset:
    """Twelve images of two classes."""
    files = class_files({"ant": 6, "bee": 6})
    return ingest.ingest_files(uploads({f"pets/{n}": c for n, c in files.items()}), name="pets")


@pytest.fixture
def page(data: datasets.Dataset, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The Data page with these images in use and no queue running."""
    monkeypatch.setattr("tl_ui.runner.keep_alive", lambda: None)
    at = AppTest.from_file(APP, default_timeout=30)
    at.session_state["choice"] = Choice(dataset=data.fingerprint)
    at.switch_page("pages/data.py").run()
    assert not at.exception
    return at


def texts(at: AppTest) -> str:
    kinds = (at.markdown, at.caption, at.error, at.warning, at.success, at.expander)
    said = [getattr(piece, "label", "") or str(piece.value) for kind in kinds for piece in kind]
    return "\n".join(said).replace("\\", "")


def press(at: AppTest, label: str) -> AppTest:
    found = [button for button in at.button if button.label == label]
    assert len(found) == 1, [button.label for button in at.button]
    found[0].click().run()
    assert not at.exception
    return at


def answered(at: AppTest, answer: object) -> AppTest:
    """Let the waiting question be answered, and look again."""
    store = Store()
    job = store.claim()
    store.append(job.id, [Progress(message="Comparing", fraction=0.5)])
    store.append(job.id, [Answered(answer=answer)])
    store.finish(job.id, "done")
    at.run()
    assert not at.exception
    return at


def soundness(*findings: Finding, far: bool = True, mismatch: str = "") -> Soundness:
    value = 0.3 if far else 0.0005
    return Soundness(
        images=12,
        mismatch=mismatch,
        findings=findings,
        source="Drawn source images",
        source_images=200,
        distances=(
            Distance(name="mmd", title="MMD²", value=value, null_low=0.0, null_high=0.001, p=0.03),
        ),
    )


SUSPECT = Finding(
    kind="label_errors",
    title="Labels that look wrong",
    text="2 images look like another class.",
    remedy="Look at each.",
    images=(0, 7),
    suggested=(1, 0),
    severity="serious",
)
COPIES = Finding(
    kind="near_duplicates",
    title="Nearly the same picture",
    text="1 group.",
    remedy="Keep them together.",
    images=(1, 2),
    groups=((1, 2),),
)


def test_the_question_is_asked_once_and_its_answer_stays(page: AppTest):
    press(page, "Check my data")
    assert Store().list(kind="check")[0].status == "queued"
    answered(page, soundness())
    assert "Nothing to mend in 12 images." in texts(page)
    assert "another kind of picture" in texts(page)
    assert not [button for button in page.button if button.label == "Check my data"]


def test_images_handed_over_wrongly_come_first(page: AppTest):
    answered(press(page, "Check my data"), soundness(mismatch="They are probably BGR."))
    assert page.error[0].value.replace("\\", "") == "They are probably BGR."
    assert "Nothing to mend" not in texts(page)


def test_a_failed_check_says_why_and_can_be_asked_again(page: AppTest):
    press(page, "Check my data")
    store = Store()
    store.finish(store.claim().id, "failed", "The memory ran out.")
    page.run()
    assert "The memory ran out." in texts(page)
    press(page, "Check my data")
    assert len(Store().list(kind="check")) == 2


def test_suspects_are_shown_with_what_they_look_like_and_can_be_relabelled(page, data):
    answered(press(page, "Check my data"), soundness(SUSPECT, far=False))
    assert "No difference found" in texts(page)
    assert "ant → bee?" in texts(page)
    page.checkbox[0].check().run()
    press(page, "Relabel the ticked as suggested")
    changed = datasets.load(page.session_state["choice"].dataset)
    assert changed.edited_from == data.fingerprint
    assert sum(image.label for image in changed.images) == 7
    assert "Relabelled: 1 image." in texts(page)
    press(page, "Undo")
    assert page.session_state["choice"].dataset == data.fingerprint
    assert "ant → bee?" in texts(page)


def test_copies_can_be_kept_together_or_dropped(page, data):
    answered(press(page, "Check my data"), soundness(COPIES))
    press(page, "Keep the first of each, drop 1")
    assert len(datasets.load(page.session_state["choice"].dataset).images) == 11
    press(page, "Undo")
    press(page, "Never divide them between training and test")
    tied = datasets.load(page.session_state["choice"].dataset)
    assert len(tied.together) == 1
    assert "Kept together in every split: 1 group." in texts(page)


def test_an_edit_that_would_break_the_data_is_refused_in_a_sentence(page, data):
    many = Finding(
        kind="outliers", title="Unlike the rest", text="x", remedy="y", images=tuple(range(6))
    )
    answered(press(page, "Check my data"), soundness(many))
    for place in range(6):
        page.checkbox[place].check()
    press(page.run(), "Drop the 6 ticked")
    assert "fewer than 4 different images" in texts(page)
    assert page.session_state["choice"].dataset == data.fingerprint


def test_unlabelled_images_get_shares_with_intervals_or_a_refusal(page, data):
    files = {f"new/{number}.png": png(100 + number) for number in range(25)}
    new = ingest.ingest_files(uploads(files), name="new", kind="unlabelled")
    page.session_state["unlabelled"] = new.fingerprint
    press(page.run(), "Estimate their classes")
    assert Store().list(kind="shift")[0].request == {"unlabelled": new.fingerprint}
    share = Estimate(value=0.7, low=0.5, high=0.9)
    found = Shift(
        images=25,
        classes=data.classes,
        known=(0.5, 0.5),
        estimated=(share, Estimate(value=0.3, low=0.1, high=0.5)),
        total_variation=0.2,
        accuracy=Estimate(value=0.8, low=0.7, high=0.9),
        condition=2.0,
    )
    answered(page, found)
    table = next(frame.value for frame in page.dataframe if "Estimated" in frame.value)
    assert list(table["Estimated"]) == ["70.0%", "30.0%"]
    assert "80.0%" in texts(page)
