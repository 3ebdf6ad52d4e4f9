"""Settings of strategies as text: what is written is read again, nonsense is refused."""

import pytest

from tl_core import setting_text
from tl_core.config import NotPossible, Setting

SETTINGS = {
    "l2_sp": Setting(learning_rate=0.003, weight_decay=0.0, penalty_strength=10.0),
    "full_fine_tuning": Setting(learning_rate=0.001, weight_decay=1e-4),
}


def test_what_is_written_is_read_again(tmp_path):
    text = setting_text.text(SETTINGS)
    assert setting_text.read(text, SETTINGS) == SETTINGS
    (tmp_path / "settings.json").write_text(text)
    assert setting_text.read(str(tmp_path / "settings.json"), SETTINGS) == SETTINGS
    assert "penalty_strength" not in setting_text.plain(SETTINGS)["full_fine_tuning"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("{", "not JSON of the form"),
        ('{"l2_sp": {"learning_rate": 0.1}}', "not JSON of the form"),
        ('{"l2_sp": {"learning_rate": 0.1, "weight_decay": 0, "x": 1}}', "not JSON of the form"),
        ('{"magic": {"learning_rate": 0.1, "weight_decay": 0}}', "not compared: magic"),
        ('{"l2_sp": {"learning_rate": 2, "weight_decay": 0}}', "above 0 and at most 1"),
        ("no such file.json", "cannot be read"),
    ],
)
def test_nonsense_is_a_sentence(given, sentence):
    with pytest.raises(NotPossible, match=sentence):
        setting_text.read(given, SETTINGS)
