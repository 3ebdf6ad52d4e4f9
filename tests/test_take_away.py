"""What can be taken away from a finished comparison, as the page offers it."""

import io

import pandas as pd
import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from tests import scripted
from tests.test_lab_page import open_lab, put, store
from tl_core import ingest
from tl_core.store import Store

__all__ = ["store"]  # a fixture


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> dict:
    """What makes each offered file, by its name."""
    found: dict = {}
    offer = streamlit.download_button

    def note(label: str, data: object, **options: object) -> object:
        assert callable(data), f"{label} is made before anyone asked for it"
        found[options["file_name"]] = data
        return offer(label, data, **options)

    monkeypatch.setattr(streamlit, "download_button", note)
    return found


def of_sample(store: Store, **changes: object) -> AppTest:
    data = ingest.sample(next(iter(ingest.SAMPLES)))
    given = {"seeds": 1, "fingerprint": data.fingerprint, "name": data.name}
    return open_lab(put(store, scripted.Scenario(**{**given, **changes})))


def test_everything_can_be_taken_away(store, offered):
    of_sample(store)
    assert set(offered) == {
        "report.html",
        "comparison.csv",
        "comparison.json",
        "predictions.csv",
        "reproduce.py",
    }
    assert offered["report.html"]().startswith("<!doctype html>")
    assert offered["comparison.csv"]().startswith("title,")
    assert '"recommended": "feature_extraction"' in offered["comparison.json"]()
    assert "DATA = 'sample:signs'" in offered["reproduce.py"]()
    listed = pd.read_csv(io.StringIO(offered["predictions.csv"]()))
    assert len(listed) == scripted.TEST
    names = {image.name for image in ingest.sample("signs").images}
    assert set(listed["image"]) <= names


def test_its_commands_are_there_to_copy(store, offered):
    page = of_sample(store)
    job = Store().list()[0].id
    commands = [one.value for one in page.code]
    assert f"python -m tl_core report {job[:12]} --out report.html" in commands
    assert "python -m tl_core compare sample:digits --seeds 3 --budget quick" in commands


def test_images_that_are_gone_are_numbers(store, offered):
    open_lab(put(store, scripted.Scenario(seeds=1)))
    listed = pd.read_csv(io.StringIO(offered["predictions.csv"]()))
    assert listed["image"][0] == "image 0"
    assert f"DATA = 'dataset:{'f' * 16}'" in offered["reproduce.py"]()


def test_a_partial_comparison_has_a_report_that_says_so(store, offered):
    events = scripted.events()
    open_lab(put(store, upto=len(events) // 2, end="cancelled"))
    assert "Partial results:" in offered["report.html"]()
