"""The page on faults names tests that exist, for every row or with the reason why there is none."""

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "faults.md"
NAMED = re.compile(r"`([\w/]+\.py)(?:::(\w+))?`")


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if row[0] != "case"]


@cache
def functions_of(file: str) -> set[str]:
    nodes = ast.parse((TESTS / file).read_text()).body
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef)}


def test_there_are_enough_rows_and_none_twice():
    cases = [row[0] for row in rows()]
    assert len(cases) >= 60 and len(set(cases)) == len(cases)
    assert all(len(row) == 3 for row in rows())


def test_every_row_is_shown_by_tests_that_exist_or_says_why_not():
    missing = []
    for case, _, shown in rows():
        named = NAMED.findall(shown)
        if not named and not shown.startswith("no test: "):
            missing.append(f"{case}: nothing is named")
        for file, name in named:
            if not (TESTS / file).is_file() or (name and name not in functions_of(file)):
                missing.append(f"{case}: {file}::{name}")
    assert not missing
