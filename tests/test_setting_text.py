"""Settings of strategies as text: what is written is read again, nonsense is refused."""

import pytest

from tl_core import setting_text
from tl_core.config import NotPossible, Setting
from tl_core.strategies import STRATEGIES

COMPARED = [STRATEGIES[name] for name in ("l2_sp", "full_fine_tuning", "feature_extraction")]
SETTINGS = {
    "l2_sp": Setting(learning_rate=0.003, weight_decay=0.0, penalty_strength=10.0),
    "full_fine_tuning": Setting(learning_rate=0.001, weight_decay=1e-4),
}


def test_what_is_written_is_read_again(tmp_path):
    text = setting_text.text(SETTINGS)
    assert setting_text.read(text, COMPARED) == SETTINGS
    (tmp_path / "settings.json").write_text(text)
    assert setting_text.read(str(tmp_path / "settings.json"), COMPARED) == SETTINGS
    assert "penalty_strength" not in setting_text.plain(SETTINGS)["full_fine_tuning"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("{", "not JSON of the form"),
        ('{"l2_sp": {"learning_rate": 0.1}}', "not JSON of the form"),
        ('{"l2_sp": {"learning_rate": 0.1, "weight_decay": 0, "x": 1}}', "not JSON of the form"),
        ('{"magic": {"learning_rate": 0.1, "weight_decay": 0}}', "or not trained: magic"),
        ('{"feature_extraction": {"learning_rate": 0.1, "weight_decay": 0}}', "not trained"),
        (
            '{"full_fine_tuning": {"learning_rate": 1, "weight_decay": 0, "penalty_strength": 1}}',
            "Full fine-tuning has no penalty",
        ),
        (
            '{"l2_sp": {"learning_rate": 1, "weight_decay": 0, "penalty_strength": -1}}',
            "strength of a penalty is not below 0",
        ),
        ('{"l2_sp": {"learning_rate": 2, "weight_decay": 0}}', "above 0 and at most 1"),
        ("no such file.json", "cannot be read"),
    ],
)
def test_nonsense_is_a_sentence(given, sentence):
    with pytest.raises(NotPossible, match=sentence):
        setting_text.read(given, COMPARED)


def test_a_penalty_without_a_strength_has_the_usual_one():
    found = setting_text.read('{"l2_sp": {"learning_rate": 0.1, "weight_decay": 0}}', COMPARED)
    assert found["l2_sp"].penalty_strength == STRATEGIES["l2_sp"].strengths[0]
