from tl_core import config
from tl_core.config import Budget
from tl_core.notebook import compare


def test_a_notebook_gets_table_curves_verdict_and_document(
    home, picture_folder, random_weights, monkeypatch
):
    monkeypatch.setitem(config.BUDGETS, "quick", Budget(steps=2, trials=1, scratch_extension=2))
    seen = []
    result = compare(
        picture_folder,
        "mobilenet_v3_small",
        strategies=["feature_extraction", "partial_fine_tuning"],
        weights=str(random_weights("mobilenet_v3_small")),
        device="cpu",
        watch=seen.append,
    )
    assert list(result.table["strategy"]) == ["feature_extraction", "partial_fine_tuning"]
    assert result.table["test_accuracy"].between(0, 1).all()
    assert len(result.curves) == 3
    assert "one seed" in result.verdict
    assert result.document["dataset"]["classes"] == ["bright disc", "dark stripes"]
    assert seen
