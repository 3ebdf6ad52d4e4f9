"""Nothing in a downloaded table may be executed by a spreadsheet."""

import io

import pandas as pd
import pytest

from tl_core.csv_export import csv_text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_begins_like_a_formula_is_made_inert(start: str) -> None:
    frame = pd.DataFrame({f"{start}head": [f"{start}cmd|'/C calc'!A0", "plain"]})
    back = pd.read_csv(io.StringIO(csv_text(frame)), dtype=str, lineterminator="\n")
    assert [name[0] for name in back.columns] == ["'"]
    assert back.iloc[0, 0].startswith(f"'{start}")
    assert back.iloc[1, 0] == "plain"


def test_numbers_stay_numbers_and_missing_stays_empty() -> None:
    frame = pd.DataFrame({"a": [-1.5, None], "b": [1, 2]})
    assert csv_text(frame) == "a,b\n-1.5,1\n,2\n"


def test_the_frame_itself_is_left_alone() -> None:
    frame = pd.DataFrame({"=a": ["=b"]})
    csv_text(frame)
    assert list(frame.columns) == ["=a"] and frame.iloc[0, 0] == "=b"
