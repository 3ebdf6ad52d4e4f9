"""`predict` and `export`: a finished comparison's model from the command line."""

import csv
import json
from pathlib import Path

import pytest
from PIL import Image
from safetensors import safe_open

from tl_core import datasets
from tl_core.cli import main


@pytest.fixture
def photographs(compared, tmp_path: Path) -> Path:
    data = datasets.load(compared.started.config.data.fingerprint)
    folder = tmp_path / "photographs"
    folder.mkdir()
    for index in range(3):
        Image.fromarray(datasets.pixels(data, index)).save(folder / f"{index}.png")
    return folder


def test_predictions_are_one_line_an_image(compared_job, photographs, tmp_path, capsys):
    out = tmp_path / "out.csv"
    wanted = ["predict", compared_job[:8], str(photographs), "--csv", str(out)]
    assert main([*wanted, "--strategy", "full_fine_tuning"]) == 0
    with out.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["file"] for line in lines] == ["0.png", "1.png", "2.png"]
    for line in lines:
        shares = [float(value) for name, value in line.items() if name.startswith("p(")]
        assert sum(shares) == pytest.approx(1, abs=1e-4)
        assert float(line["confidence"]) == pytest.approx(max(shares), abs=1e-4)
        assert line["unsure"] in ("True", "False")
    printed = capsys.readouterr().out
    assert "unsure" in printed and "Most worth labelling" in printed


def test_an_export_lies_where_it_was_asked_for(compared_job, tmp_path, capsys):
    target = tmp_path / "taken"
    wanted = ["export", "latest", "--to", str(target), "--strategy", "feature_extraction"]
    assert main(wanted) == 0
    with safe_open(target / "model.safetensors", "pt") as file:
        assert json.loads(file.metadata()["about"])["strategy"] == "Feature extraction"
    assert (target / "use_safetensors.py").is_file()
    assert "largest difference" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["--strategy", "lora"], "Strategies with a result"),
        (["--seed", "9"], "seeds: 1 to 1"),
    ],
)
def test_a_run_that_is_not_there_is_refused_in_one_sentence(
    compared_job, tmp_path, capsys, changes, said
):
    assert main(["export", compared_job, "--to", str(tmp_path / "taken"), *changes]) == 2
    assert said in capsys.readouterr().err


def test_an_unknown_comparison_is_refused_in_one_sentence(compared, tmp_path, capsys):
    assert main(["export", "nothing", "--to", str(tmp_path)]) == 2
    assert "There is no comparison" in capsys.readouterr().err
