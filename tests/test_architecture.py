"""The rooms hold what their names say: a line knows its room by its verb."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = sorted((ROOT / "tl_core").rglob("*.py"))
WEB = [
    ROOT / "app.py",
    *sorted((ROOT / "pages").glob("*.py")),
    *sorted((ROOT / "tl_ui").glob("*.py")),
]
SOURCES = [*CORE, *WEB]

# pattern: the files that may contain it
VERBS = {
    r"\.backward\(": {"tl_core/trainer.py", "tl_core/device.py"},
    r"requires_grad_?\b(?!=)": {"tl_core/freezing.py"},
    r"\bImage\.open\(": {"tl_core/ingest/", "tl_core/datasets/", "tl_core/export/snippets.py"},
    r"\b(INSERT INTO|SELECT |PRAGMA )": {"tl_core/store/"},
    r"^\s*(import|from) (streamlit)": {"app.py", "pages/", "tl_ui/"},
    r"^\s*(import|from) ray\b": {"tl_core/executors/ray_tasks.py"},
    r"\b(go|px)\.[A-Z]\w+\(": {"tl_core/figures/"},
    # There every chart gets the button that saves it.
    r"st\.plotly_chart\(": {"tl_ui/plots.py"},
    r"weights_only=(?!True)": set(),
    r"pickle\.loads?\(": set(),
    r"unsafe_allow_html": set(),
}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def code_lines(path: Path) -> list[str]:
    """The lines of a file without comments and docstrings."""
    text = path.read_text()
    lines = [line.split("  #")[0] for line in text.splitlines()]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            text_node = node.body[0]
            for number in range(text_node.lineno - 1, text_node.end_lineno):
                lines[number] = ""
    return lines


@pytest.mark.parametrize("pattern", VERBS)
def test_a_line_knows_its_room(pattern):
    allowed = VERBS[pattern]
    strangers = [
        f"{relative(path)}: {line.strip()}"
        for path in SOURCES
        if not any(relative(path).startswith(place) for place in allowed)
        for line in code_lines(path)
        if re.search(pattern, line)
    ]
    assert not strangers


def test_every_checkpoint_is_loaded_without_pickle():
    """The default can be turned off by an environment variable, an explicit argument cannot."""
    places = [*SOURCES, *(ROOT / "benchmarks").rglob("*.py"), *(ROOT / "pretraining").glob("*.py")]
    bare, calls = [], 0
    for path in places:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                calls += 1
                given = {word.arg: ast.unparse(word.value) for word in node.keywords}
                if given.get("weights_only") != "True":
                    bare.append(f"{relative(path)}: {ast.unparse(node)}")
    assert calls and not bare


def test_the_web_imports_neither_torch_nor_ray():
    """Every module that pages reach, in a fresh process."""
    modules = [relative(path)[:-3].replace("/", ".") for path in WEB if path.parent.name == "tl_ui"]
    modules += [
        "tl_core.store",
        "tl_core.tables",
        "tl_core.figures",
        "tl_core.ingest",
        "tl_core.runner",
    ]
    code = "import sys\n" + "\n".join(f"import {name}" for name in modules)
    code += "\nassert not {'torch', 'ray'} & sys.modules.keys(), 'too much was imported'"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]


def test_importing_the_core_imports_nothing():
    assert (ROOT / "tl_core" / "__init__.py").read_text().strip() == ""


def test_pages_are_short():
    for path in (ROOT / "pages").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 80, path.name


def test_no_room_without_a_name():
    names = {path.stem for path in SOURCES}
    assert not names & {"utils", "helpers", "common", "misc"}


def test_theme_has_exactly_ten_categorical_colours():
    """With fewer, Plotly charts silently fall back to another palette."""
    import tomllib

    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    assert len(theme["chartCategoricalColors"]) == 10


def test_the_server_is_private_by_default():
    import tomllib

    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["server"]["address"] == "127.0.0.1"
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] == "none"
