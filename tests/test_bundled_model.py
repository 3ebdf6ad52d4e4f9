"""The weights that ship: the ones the model card speaks of, as good as it says."""

import hashlib
from pathlib import Path

import pytest
import torch

from tl_core import catalog, weights
from tl_core.backbones import build, load_weights
from tl_core.preprocessing import normalise
from tl_core.procedural import CLASSES
from tl_core.procedural.drawing import draw
from tl_core.stats import wilson

CARD = Path(__file__).parents[1] / "docs" / "bundled-model.md"
IMAGES = 3 * len(CLASSES)


@pytest.fixture
def row() -> catalog.Model:
    return catalog.find(weights.FIRST_MODEL)


def test_catalog_card_and_file_name_the_same_content(row: catalog.Model) -> None:
    content = catalog.data_file(row.weights.file).read_bytes()
    assert len(content) <= 12 * 1024**2
    assert hashlib.sha256(content).hexdigest() == row.weights.sha256
    card = CARD.read_text(encoding="utf-8")
    assert row.weights.sha256 in card
    assert f"top-1 {row.weights.top1:.1f} %" in card
    assert f"{row.parameters:,} parameters" in card


def test_it_recognises_new_drawings_as_often_as_the_catalog_says(row: catalog.Model) -> None:
    backbone = build(row, load_weights(catalog.data_file(row.weights.file))).eval()
    drawn = draw(IMAGES, 77)
    with torch.inference_mode():
        final = backbone.forward_blocks(normalise(drawn.images, row.preprocessing))
        right = backbone.source_logits(final).argmax(dim=1) == drawn.labels
    low, high = wilson(float(right.double().mean()), IMAGES, level=0.999)
    assert low < row.weights.top1 / 100 < high
