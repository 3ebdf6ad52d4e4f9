"""What people are told of errors: our own sentences, or text without the machine's folders."""

import ast
from pathlib import Path

import pytest

from tl_core import runs
from tl_core.worker_process import plain

ROOT = Path(__file__).parents[1]
SOURCES = [*(ROOT / "tl_core").rglob("*.py"), *(ROOT / "tl_ui").glob("*.py"), *ROOT.glob("pages/*")]

# Raised with sentences written for people, by this project alone.
OURS = {"BadInput", "BadWeights", "NotPossible", "Unreadable", "NotReady"}
OURS |= {"StoreError", "StoreDamaged", "QueueFull"}

# Other errors whose text is passed on, and why that may be.
ELSEWHERE = {
    "tl_core/backbones.py": "torch's list of keys and shapes of a state dict",
    "tl_core/checkpoints.py": "for the log",
    "tl_core/doctor.py": "a command for whoever runs the machine",
    "tl_core/executors/ray_tasks.py": "for the log; people are told the cause without folders",
    "tl_core/ingest/tabular.py": "the csv module speaks of lines and fields",
    "tl_core/kept_models.py": "for the log",
    "tl_core/layouts.py": "the file's own path is taken out",
    "tl_core/lesson_links.py": "a word of its own",
    "tl_core/questions/shift.py": "the estimate's own sentence",
    "tl_core/room_command.py": "a command's own sentence",
    "tl_core/store/backups.py": "SQLite's words without a path, the system's without its file",
    "tl_core/store/database.py": "only compared with what SQLite says",
    "tl_core/worker_process.py": "msgspec speaks of JSON fields",
}


def raised(kind: ast.expr | None) -> set[str]:
    """The names of the errors that a handler catches."""
    parts = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return {getattr(part, "attr", "") or getattr(part, "id", "") for part in parts}


def told(handler: ast.ExceptHandler) -> bool:
    """Whether a handler puts its error into words without `plain`."""
    words = [node for node in ast.walk(handler) if isinstance(node, ast.Call | ast.FormattedValue)]
    harmless = {
        id(inner)
        for node in words
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "plain"
        for inner in ast.walk(node)
    }
    for node in words:
        given = node.args if isinstance(node, ast.Call) else [node.value]
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") not in ("str", "repr"):
            continue
        for one in given:
            if getattr(one, "id", "") == handler.name and id(node) not in harmless:
                return True
    return False


def test_foreign_error_text_is_never_passed_on_as_it_is():
    found = set()
    for path in SOURCES:
        if path.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            named = isinstance(node, ast.ExceptHandler) and node.name
            if named and told(node) and not raised(node.type) <= OURS:
                found.add(path.relative_to(ROOT).as_posix())
    assert found <= set(ELSEWHERE), "pass it through `plain`, or say above why it need not be"


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (FileNotFoundError(2, "No such file", "/home/ada l/my data/x.bin"), "'x.bin'"),
        (RuntimeError("open /srv/people/abc/y.bin failed\nat line 3"), "open y.bin failed"),
        (ValueError(r"bad 'C:\Users\Ada L\z.png'"), "bad 'z.png'"),
        (KeyError(), "KeyError"),
    ],
)
def test_a_failed_run_names_no_folder(error, shown):
    reason = runs.failure_reason(error)
    assert shown in reason
    assert not any(word in reason for word in ("home", "Ada", "people", "line 3"))
    assert plain(reason) == reason
