"""The confusion matrix as a chart: its cells, their words, and class names as data."""

import json

import numpy as np
import pytest

from tests.test_figures import contrast
from tl_core import figures
from tl_core.figures import confusion

COUNTS = np.array([[3, 1, 0], [0, 2, 2], [0, 0, 0]])


def test_every_cell_has_its_count_and_share_of_its_line():
    frame = figures.confusion_frame(COUNTS).set_index(["label", "predicted"])
    assert len(frame) == 9
    assert frame.loc[(0, 1), "share"] == pytest.approx(0.25)
    assert frame.loc[(1, 2), "words"] == "2"
    # Nothing to read where there is nothing, and no division by a class without a test.
    assert frame.loc[(0, 2), "words"] == ""
    assert (frame.loc[2]["share"] == 0).all()


def test_class_names_are_literals_of_the_axes_and_cut():
    names = ['"]; alert(1); ["', "a\\b\u2028", "x" * 60]
    spec = figures.confusion_spec(names, dark=False, chosen=(0, 1))
    for layer in spec["layer"]:
        for axis in ("x", "y"):
            expression = layer["encoding"][axis]["axis"]["labelExpr"]
            assert expression.endswith("[datum.value]")
            shown = json.loads(expression.removesuffix("[datum.value]"))
            assert shown[:2] == names[:2]
            assert len(shown[2]) == 22
    (selection,) = spec["layer"][0]["params"]
    assert selection["name"] == figures.CELL
    assert selection["value"] == [{"label": 0, "predicted": 1}]
    assert "value" not in figures.confusion_spec(names, dark=False)["layer"][0]["params"][0]


def blended(colour: str, ground: str, opacity: float) -> str:
    mixed = [
        round(opacity * int(colour[i : i + 2], 16) + (1 - opacity) * int(ground[i : i + 2], 16))
        for i in (1, 3, 5)
    ]
    return "#" + "".join(f"{value:02x}" for value in mixed)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("kind", [0, 1], ids=["right", "wrong"])
def test_words_can_be_read_on_every_shade(dark: bool, kind: int):
    ground = "#191919" if dark else "#ffffff"
    fill = (confusion._RIGHT, confusion._WRONG)[kind]
    limit = confusion._WHITE_FROM["dark" if dark else "light"]
    for share in np.linspace(0, 1, 101):
        opacity = confusion._FAINT + (1 - confusion._FAINT) * np.sqrt(share)
        word = "#ffffff" if share >= limit else "#000000"
        assert contrast(blended(fill, ground, opacity), word) >= 4.5, share


def test_a_matrix_grows_with_its_classes():
    assert figures.confusion_height(8) - figures.confusion_height(7) == 30
