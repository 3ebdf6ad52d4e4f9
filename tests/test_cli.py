import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tl_core import cli, config
from tl_core.config import Budget
from tl_core.store import Store

MODEL = "mobilenet_v3_small"


@pytest.fixture(autouse=True)
def _small_budget(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setitem(config.BUDGETS, "quick", Budget(steps=2, trials=1, scratch_extension=2))


def compare(folder: Path, weights: Path, *more: str) -> int:
    return cli.main(
        [
            "compare",
            str(folder),
            "--backbone",
            MODEL,
            "--weights",
            str(weights),
            "--device",
            "cpu",
            *more,
        ]
    )


def test_compare_writes_table_verdict_json_and_history(
    picture_folder, random_weights, capsys, tmp_path
):
    out = tmp_path / "out.json"
    mapping = json.dumps({"bright disc": [1], "dark stripes": [2, 3]})
    code = compare(
        picture_folder, random_weights(MODEL), "--json", str(out), "--class-map", mapping
    )
    assert code == 0
    printed = capsys.readouterr()
    assert "Full fine-tuning" in printed.out
    assert "this split and this start only" in printed.out
    made = json.loads(out.read_text())
    assert made["class_map"] == {"bright disc": [1], "dark stripes": [2, 3]}
    assert len(made["rows"]) == 5
    saved = Store().list()
    assert [entry.status for entry in saved] == ["done"]
    assert saved[0].config.device == "cpu"


def test_the_printed_command_reproduces_the_numbers(picture_folder, random_weights, tmp_path):
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    names = "feature_extraction,full_fine_tuning"
    arguments = ["--strategies", names, "--freeze", "stem,block 1"]
    assert compare(picture_folder, random_weights(MODEL), *arguments, "--json", str(first)) == 0
    made = json.loads(first.read_text())
    words = shlex.split(made["command"])
    assert words[:4] == ["python", "-m", "tl_core", "compare"]
    assert cli.main([*words[3:], "--json", str(second)]) == 0
    again = json.loads(second.read_text())
    assert again["rows"] == made["rows"]  # taken over: also the clocks are the same
    assert again["command"] == made["command"]
    assert [row["strategy"] for row in made["rows"]] == [*names.split(","), "custom"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--strategies", "magic"], "no strategy 'magic'"),
        (["--freeze", "layer 99"], "no block 'layer 99'"),
        (["--class-map", "{"], "not JSON"),
        (["--class-map", '{"cat": [1]}'], "do not have: cat"),
        (["--class-map", '{"bright disc": [5000]}'], "0 to 999"),
        (["--class-map", "missing.json"], "cannot be read"),
        (["--seeds", "0"], "1 to 20"),
        (["--device", "mps"], "not available here"),
        (["--source-probe", "missing"], "missing"),
        (["--json", "no/such/folder/out.json"], "There is no folder"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    picture_folder, random_weights, capsys, arguments, sentence
):
    assert compare(picture_folder, random_weights(MODEL), *arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error


def test_unknown_model_data_and_weights(picture_folder, capsys, tmp_path):
    assert cli.main(["compare", str(picture_folder), "--backbone", "lenet"]) == 2
    assert "There is no model 'lenet'" in capsys.readouterr().err
    arguments = ["--backbone", MODEL, "--weights", str(tmp_path / "none.safetensors")]
    assert cli.main(["compare", str(picture_folder), *arguments]) == 2
    assert "There is no weights file" in capsys.readouterr().err
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"not a safetensors file at all")
    assert compare(picture_folder, bad) == 2
    assert compare(tmp_path / "nowhere", bad) == 2


def test_missing_weights_offline_say_what_to_do(picture_folder, capsys, monkeypatch):
    monkeypatch.setenv("TL_WEIGHTS_URL", "http://127.0.0.1:9")
    assert cli.main(["compare", str(picture_folder), "--backbone", MODEL]) == 2
    assert ".safetensors" in capsys.readouterr().err
    assert Store().list() == []


def test_a_failed_run_gives_exit_code_1(picture_folder, random_weights, capsys, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("tl_core.runs.convex_probe", broken)
    names = "feature_extraction,zero_shot"
    assert compare(picture_folder, random_weights(MODEL), "--strategies", names) == 1
    assert "broken on purpose" in capsys.readouterr().out


def test_interrupt_keeps_what_is_finished(picture_folder, random_weights, capsys, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tl_core.runs.Fit", interrupt)
        assert compare(picture_folder, random_weights(MODEL)) == 130
    assert Store().list()[0].status == "cancelled"
    assert compare(picture_folder, random_weights(MODEL)) == 0
    assert "(taken over)" in capsys.readouterr().err


def test_samples_and_models(capsys):
    assert cli.main(["samples", "--names"]) == 0
    assert capsys.readouterr().out.split()[0] == "digits"
    assert cli.main(["models", "--json"]) == 0
    models = json.loads(capsys.readouterr().out)
    assert {"resnet18", "vit_b_16", "squeezenet1_1"} <= {row["name"] for row in models}
    assert cli.main(["models"]) == 0
    assert "resnet18" in capsys.readouterr().out


def test_doctor_names_what_is_missing(capsys, random_weights):
    from tl_core import weights
    from tl_core.catalog import catalog

    assert cli.main(["doctor"]) == 1
    assert "download-weights" in capsys.readouterr().out
    weights.add(catalog()[MODEL], random_weights(MODEL), name="random")
    assert cli.main(["doctor"]) == 0


def test_convert_weights(tmp_path, capsys):
    import torch

    source, target = tmp_path / "a.pth", tmp_path / "a.safetensors"
    torch.save({"layer.weight": torch.ones(2)}, source)
    assert cli.main(["convert-weights", str(source), str(target)]) == 0
    assert target.exists()
    source.write_bytes(b"junk")
    assert cli.main(["convert-weights", str(source), str(target)]) == 2


def test_light_commands_do_not_import_torch():
    code = "import sys; from tl_core.cli import main; main(['samples'])\n"
    code += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
