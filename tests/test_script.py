"""The script that reproduces a comparison: all its settings, the same numbers, no other images."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tests.factories import comparison_config
from tl_core import catalog, datasets, ingest, notebook
from tl_core.config import ComparisonConfig, DataConfig, NotPossible, Setting
from tl_core.experiment import run_comparison
from tl_core.record import record
from tl_core.script import script
from tl_core.strategies import STRATEGIES, custom_strategy
from tl_core.tables import rows

ROOT = Path(__file__).parent.parent


def call_of(config: ComparisonConfig, monkeypatch: pytest.MonkeyPatch) -> ComparisonConfig:
    """Return the configuration that a script asks for, without running it."""
    asked = []

    def stopped(config: ComparisonConfig, *_: object) -> list:
        asked.append(config)
        return []

    monkeypatch.setattr(notebook, "run_comparison", stopped)
    exec(compile(script(config), "script", "exec"), {})
    return asked[0]


def test_the_script_gives_bit_identical_numbers(small_comparison, tmp_path):
    blocks = catalog.catalog()[small_comparison.backbone].blocks
    own = custom_strategy([number < 5 for number in range(len(blocks))])
    names = ("zero_shot", "feature_extraction", "full_fine_tuning")
    asked = replace(
        small_comparison, strategies=(*(STRATEGIES[name] for name in names), own), steps=3
    )
    found = record(run_comparison(asked, lambda _: None, lambda _: None, lambda *_: None))
    path, out = tmp_path / "again.py", tmp_path / "again.json"
    more = (
        "\nimport json, msgspec\n"
        "ended = result.record.ended.items()\n"
        "runs = {name: msgspec.to_builtins(run.result) for name, run in ended}\n"
        f"json.dump(runs, open({str(out)!r}, 'w'))\n"
    )
    path.write_text(script(found.started.config) + more)
    where = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, path], env=where, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-800:]
    again = json.loads(out.read_text())
    assert set(again) == set(found.ended) and len(again) == 4
    for name, run in found.ended.items():
        before = json.loads(msgspec.json.encode(run.result))
        for clock in ("train_seconds", "peak_memory_mb"):
            before.pop(clock), again[name].pop(clock)
        assert again[name] == before
    assert all(row.strategy in done.stdout for row in rows(found))


def test_every_setting_is_in_the_call(small_comparison, monkeypatch):
    blocks = catalog.catalog()[small_comparison.backbone].blocks
    config = replace(
        small_comparison,
        strategies=(
            STRATEGIES["partial_fine_tuning"],
            custom_strategy([number % 2 == 0 for number in range(len(blocks))]),
        ),
        class_map={"bright disc": (3, 4)},
        seeds=3,
        budget="standard",
        steps=7,
        learning_rate=0.0123,
        class_balance="weights",
        settings={
            "partial_fine_tuning": Setting(learning_rate=0.0123, weight_decay=0.0),
            "custom": Setting(learning_rate=0.1, weight_decay=1e-4),
        },
        labels_per_class=3,
        input_size=96,
        augmentation="colour",
        regularisation="mixup",
        threads=1,
    )
    assert call_of(config, monkeypatch) == config
    ranged = replace(config, rate_range=(1e-5, 1.0), learning_rate=None)
    assert call_of(ranged, monkeypatch) == ranged
    defaults = replace(small_comparison, class_map={})
    assert call_of(defaults, monkeypatch) == defaults


def test_brought_source_images_are_checked_too(small_comparison, picture_folder, monkeypatch):
    probe = ingest.ingest_path(picture_folder, kind="probe")
    data = replace(small_comparison.data, probe=probe.fingerprint, probe_name=probe.name)
    config = replace(small_comparison, data=data)
    assert call_of(config, monkeypatch) == config
    wrong = script(config).replace(f"'{probe.fingerprint}'", "'other'")
    with pytest.raises(NotPossible, match="other images than the comparison had"):
        exec(wrong, {})


def test_other_images_are_refused_with_a_clear_sentence(small_comparison, picture_folder):
    data = datasets.load(small_comparison.data.fingerprint)
    assert script(small_comparison, str(picture_folder)).count(data.fingerprint) == 1
    next(picture_folder.glob("*/3.png")).unlink()
    with pytest.raises(NotPossible, match=r"pictures holds other images than the comparison had"):
        exec(script(small_comparison, str(picture_folder)), {})


def test_hostile_names_are_text_and_no_code():
    name = 'x"""\nimport os; os.abort()\u202e'
    config = comparison_config(
        data=DataConfig(fingerprint="f" * 64, name=name), class_map={f"'{name}\\": (1,)}
    )
    made = script(config)
    assert "\u202e" not in made
    tree = compile(made, "script", "exec")
    assert "os" not in tree.co_names
    assert "import os" not in [line.strip() for line in made.splitlines()]


def test_what_cannot_be_expressed_is_a_comment():
    older = replace(STRATEGIES["full_fine_tuning"], title="Full, as it was")
    made = script(comparison_config(strategies=(STRATEGIES["zero_shot"], older)))
    assert "# Left out, because this version has no such strategy: Full, as it was." in made
    assert "strategies=['zero_shot']" in made
    assert "not in this version's catalog" in script(comparison_config(backbone="lenet"))
