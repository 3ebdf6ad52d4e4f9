"""The choice of the executor: by the environment, with a remedy where there is none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tl_core.executor import NotReady
from tl_core.executors.choose import chosen
from tl_core.executors.local import LocalExecutor


def test_jobs_run_on_this_machine_unless_something_else_is_said(monkeypatch):
    monkeypatch.delenv("TL_EXECUTOR", raising=False)
    assert isinstance(chosen(lambda: False), LocalExecutor)


@pytest.mark.parametrize(
    ("variables", "remedy"),
    [
        ({"TL_EXECUTOR": "dask"}, "it can be 'local' or 'ray'"),
        ({"TL_EXECUTOR": "ray"}, "pip install -r requirements-ray.txt"),
    ],
)
def test_an_executor_that_is_not_here_is_named_with_the_remedy(variables, remedy, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setitem(sys.modules, "tl_core.executors.ray_tasks", None)
    with pytest.raises(NotReady, match=remedy):
        chosen(lambda: False)


def test_a_runner_whose_executor_cannot_start_says_so_and_ends(home):
    ended = subprocess.run(
        [sys.executable, "-m", "tl_core.runner"],
        env={**os.environ, "TL_EXECUTOR": "dask"},
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "TL_EXECUTOR is 'dask'" in ended.stderr
