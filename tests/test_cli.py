import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tl_core import cli, config
from tl_core.catalog import catalog
from tl_core.config import Budget
from tl_core.ingest import source_probe
from tl_core.procedural import CLASSES
from tl_core.store import Store
from tl_core.weights import FIRST_MODEL

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
    raised = [flag for flag in made["flags"] if flag["state"] == "raised"]
    after = printed.out.split("this split and this start only")[1]
    assert raised and [line for line in after.splitlines() if line.startswith("! ")] == [
        f"! {flag['title']}: {flag['text']}" for flag in raised
    ]
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


def test_layers_of_ones_own_alone_stay_alone_in_the_printed_command(
    picture_folder, random_weights, tmp_path
):
    first = tmp_path / "1.json"
    arguments = ["--strategies", "none", "--freeze", "stem"]
    assert compare(picture_folder, random_weights(MODEL), *arguments, "--json", str(first)) == 0
    made = json.loads(first.read_text())
    assert [row["strategy"] for row in made["rows"]] == ["custom"]
    words = shlex.split(made["command"])
    assert words[words.index("--strategies") + 1] == "none"


def test_no_strategy_at_all_is_refused_in_one_sentence(picture_folder, random_weights, capsys):
    assert compare(picture_folder, random_weights(MODEL), "--strategies", "none") == 2
    assert "at least one strategy" in capsys.readouterr().err


@pytest.fixture
def few_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw one source image of each class instead of a thousand."""
    monkeypatch.setattr(source_probe, "COUNT", len(CLASSES))


def test_nothing_but_images_gives_the_bundled_model_and_what_it_forgets(
    picture_folder, few_drawings, tmp_path
):
    out = tmp_path / "out.json"
    names = ["--strategies", "feature_extraction,full_fine_tuning"]
    arguments = ["compare", str(picture_folder), *names, "--device", "cpu", "--json", str(out)]
    assert cli.main(arguments) == 0
    made = json.loads(out.read_text())
    assert made["backbone"]["name"] == FIRST_MODEL
    source = made["source"]
    assert source["name"] == source_probe.NAME
    assert source["images"] == source["classes"] == len(CLASSES)
    frozen, tuned = made["rows"]
    assert frozen["forgetting_points"] == 0.0
    assert tuned["forgetting_points"] is not None
    assert "--source-probe" not in made["command"]
    again = tmp_path / "again.json"
    words = shlex.split(made["command"])
    assert cli.main([*words[3:], "--json", str(again)]) == 0
    assert json.loads(again.read_text())["rows"] == made["rows"]


def test_forgetting_can_be_left_out(picture_folder, few_drawings, tmp_path):
    out = tmp_path / "out.json"
    names = ["--strategies", "feature_extraction", "--source-probe", "none"]
    assert cli.main(["compare", str(picture_folder), *names, "--json", str(out)]) == 0
    made = json.loads(out.read_text())
    assert made["source"] is None
    assert "--source-probe none" in made["command"]
    assert source_probe.known(catalog()[FIRST_MODEL]) is None


def test_source_images_are_drawn_beforehand(few_drawings, capsys):
    assert cli.main(["draw-source"]) == 0
    assert f"{len(CLASSES)} source images of ResNet-10" in capsys.readouterr().out
    assert source_probe.known(catalog()[FIRST_MODEL]) is not None
    assert cli.main(["draw-source", "resnet18"]) == 2
    assert "Bring labelled images" in capsys.readouterr().err


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
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("tl_core.execution.convex_probes", broken)
    names = "feature_extraction,zero_shot"
    assert compare(picture_folder, random_weights(MODEL), "--strategies", names) == 1
    assert "broken on purpose" in capsys.readouterr().out


def test_interrupt_keeps_what_is_finished(picture_folder, random_weights, capsys, monkeypatch):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tl_core.runs.Fit", interrupt)
        assert compare(picture_folder, random_weights(MODEL)) == 130
    assert Store().list()[0].status == "cancelled"
    assert compare(picture_folder, random_weights(MODEL)) == 0
    assert "(taken over)" in capsys.readouterr().err


def test_samples_and_models(capsys):
    assert cli.main(["samples", "--names"]) == 0
    assert capsys.readouterr().out.split() == ["signs", "digits", "defects", "threads", "leak"]
    assert cli.main(["models", "--json"]) == 0
    models = json.loads(capsys.readouterr().out)
    assert {"resnet18", "vit_b_16", "squeezenet1_1"} <= {row["name"] for row in models}
    assert cli.main(["models"]) == 0
    assert "resnet18" in capsys.readouterr().out


def test_doctor_names_what_is_there_and_what_is_missing(capsys, random_weights, monkeypatch):
    from tl_core import weights

    assert cli.main(["doctor"]) == 0
    assert "ResNet-10, drawn shapes" in capsys.readouterr().out
    weights.add(catalog()[MODEL], random_weights(MODEL), name="random")
    assert cli.main(["doctor"]) == 0
    assert "MobileNetV3 small" in capsys.readouterr().out
    monkeypatch.setattr(weights, "bundled", lambda model: None)
    assert cli.main(["doctor"]) == 1
    assert "missing from this copy" in capsys.readouterr().out


def test_doctor_names_packages_of_the_wrong_version_and_a_damaged_history(
    capsys, home, monkeypatch
):
    from tl_core import doctor

    monkeypatch.setattr(doctor, "requirements", lambda: ["numpy>=999", "no-such-package"])
    home.mkdir(parents=True, exist_ok=True)
    (home / "store.sqlite3").write_bytes(b"not a database" * 100)
    assert cli.main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "needed is >=999" in said and "no-such-package is not installed" in said
    assert "damaged" in said
    assert len(doctor.REQUIREMENTS.read_text().splitlines()) > 10


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
