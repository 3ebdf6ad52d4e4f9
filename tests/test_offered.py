import pytest

from tl_core.backbones import build
from tl_core.catalog import catalog
from tl_core.offered import SOURCE_IMAGES_FROM, refused, why_not
from tl_core.strategies import STRATEGIES, custom_strategy

ROWS = catalog()
ALL = tuple(STRATEGIES.values())


@pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
def test_with_source_images_only_missing_normalisation_refuses(row):
    found = refused(ALL, row, SOURCE_IMAGES_FROM)
    assert set(found) == ({"norm_only"} if row.normalisation == "none" else set())


@pytest.mark.parametrize("images", [None, 0, SOURCE_IMAGES_FROM - 1])
def test_what_learns_from_source_images_says_how_many_it_lacks(images):
    refusals = refused(ALL, ROWS["resnet18"], images)
    assert set(refusals) == {"ewc", "rehearsal"}
    assert refusals["ewc"].startswith("EWC measures on labelled source images which weights matter")
    assert refusals["rehearsal"].startswith("Rehearsal practises on labelled source images: it")
    for reason in refusals.values():
        assert f"at least {SOURCE_IMAGES_FROM}" in reason
        assert (str(images) if images else "there are none") in reason


def test_own_layers_are_never_refused():
    assert why_not(custom_strategy((True, False)), ROWS["squeezenet1_1"], None) == ""


@pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
def test_every_block_of_the_catalog_holds_a_bias(row):
    for block in build(row, None).blocks:
        held = [name for module in block.modules for name, _ in module.named_parameters()]
        assert any(name.endswith("bias") for name in held), block.name
