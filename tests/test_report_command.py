"""`report` on the command line: which comparison, which files, one sentence where it cannot be."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import scripted
from tl_core import cli, columns, ingest
from tl_core.csv_export import csv_text
from tl_core.document import document
from tl_core.record import record
from tl_core.store import Store
from tl_core.tables import rows
from tl_core.verdict import verdict

SCENARIO = scripted.Scenario(seeds=1)
FOUND = record(scripted.events(SCENARIO))


def ended(scenario: scripted.Scenario = SCENARIO, kind: str = "compare") -> str:
    store = Store()
    job = store.create(scripted.config(scenario), scenario.name, queued=False, kind=kind)
    store.append(job, scripted.events(scenario))
    store.finish(job, "done")
    return job


def test_all_files_of_a_comparison_are_those_of_the_app(home, tmp_path, capsys):
    job = ended()
    names = {"out": "a.html", "json": "a.json", "csv": "a.csv", "predictions": "p.csv"}
    names["script"] = "a.py"
    options = [word for kind, name in names.items() for word in (f"--{kind}", str(tmp_path / name))]
    assert cli.main(["report", job, *options]) == 0
    assert capsys.readouterr().out.count("Written: ") == 5
    ranked = columns.ranked(rows(FOUND), verdict(FOUND, rows(FOUND)))
    assert json.loads((tmp_path / "a.json").read_text()) == json.loads(
        json.dumps(document(FOUND, ranked))
    )
    assert (tmp_path / "a.csv").read_text() == csv_text(columns.export_frame(FOUND, ranked))
    assert (tmp_path / "a.html").read_text().startswith("<!doctype html>")
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 1 + scripted.TEST
    compile((tmp_path / "a.py").read_text(), "a.py", "exec")


def test_latest_and_first_letters_name_a_comparison(home, tmp_path):
    first, second = ended(), ended(scripted.Scenario(seeds=1, name="Another"))
    ended(kind="check")
    Store().create(scripted.config(SCENARIO), "waits")
    out = tmp_path / "out.json"
    for run, name in (
        ("latest", "Another"),
        (first[:20].upper(), SCENARIO.name),
        (second, "Another"),
    ):
        assert cli.main(["report", run, "--json", str(out)]) == 0
        assert json.loads(out.read_text())["dataset"]["name"] == name


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["latest", "--out", "x.html"], "No comparison has ended yet"),
        (["abc", "--out", "x.html"], "There is no comparison 'abc'"),
        (["abc"], "Say what to write: --out FILE"),
        (["abc", "--csv", "no/such/folder/x.csv"], "There is no folder"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(home, capsys, words, sentence):
    assert cli.main(["report", *words]) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1


def test_several_comparisons_that_begin_alike_are_refused(home, capsys):
    ended(), ended()
    assert cli.main(["report", "", "--json", "x.json"]) == 2
    assert "Several comparisons begin with ''" in capsys.readouterr().err


def test_what_cannot_be_written_is_said(home, tmp_path, capsys):
    ended()
    assert cli.main(["report", "latest", "--csv", str(tmp_path)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_sample_is_named_so_that_every_machine_has_it(sampled_home, tmp_path):
    name = next(iter(ingest.SAMPLES))
    data = ingest.sample(name)
    ended(scripted.Scenario(seeds=1, fingerprint=data.fingerprint, name=data.name))
    out, listed = tmp_path / "a.py", tmp_path / "p.csv"
    assert cli.main(["report", "latest", "--script", str(out), "--predictions", str(listed)]) == 0
    assert f"DATA = 'sample:{name}'" in out.read_text()
    assert data.images[0].name in listed.read_text()


def test_a_report_needs_no_torch(home, tmp_path):
    ended()
    code = "import sys; from tl_core.cli import main; assert main(sys.argv[1:]) == 0\n"
    code += "sys.exit('torch' in sys.modules)"
    words = ["report", "latest", "--out", str(tmp_path / "a.html")]
    where = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=where, capture_output=True)
    assert done.returncode == 0, done.stderr
