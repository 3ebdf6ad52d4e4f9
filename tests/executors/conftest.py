"""Places for the contract: processes here, and a Ray cluster of two machines simulated here."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.executors.talking import FAKE_WORKER
from tl_core.executor import Executor

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

MISSING = "Ray is not installed: pip install -r requirements-ray.txt"
# Read when Ray is imported, and again by each of its processes.
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4}
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}


@pytest.fixture(scope="session")
def _token() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**TOKEN, **QUIET}.items():
            patch.setenv(name, value)
        yield


@contextmanager
def machines() -> "Iterator[Cluster]":
    """Have a cluster of a head and another machine, a processor each."""
    cluster_utils = pytest.importorskip("ray.cluster_utils", reason=MISSING)
    cluster = cluster_utils.Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    try:
        cluster.add_node(num_cpus=1)
        yield cluster
    finally:
        cluster.shutdown()


@pytest.fixture(scope="session")
def _cluster(_token: None) -> "Iterator[Cluster]":
    with machines() as cluster:
        yield cluster


@pytest.fixture
def cluster(_cluster: "Cluster") -> "Cluster":
    """The cluster of this session, with two machines whatever the last test did to one."""
    while len(_cluster.worker_nodes) < 1:
        _cluster.add_node(num_cpus=1)
    _cluster.wait_for_nodes()
    return _cluster


@pytest.fixture
def on_ray(cluster: "Cluster", home: Any) -> Iterator[Callable[..., Executor]]:
    """Make executors of the cluster, started unless told not to; they are closed at the end."""
    from tl_core.executors.ray_tasks import RayTasks

    made: list[Executor] = []

    def make(module: str = FAKE_WORKER, start: bool = True) -> Executor:
        executor = RayTasks(cluster.address, module)
        if start:
            executor.start()
        made.append(executor)
        return executor

    yield make
    for executor in made:
        executor.close()


@pytest.fixture
def on_processes(home: Any) -> Iterator[Callable[..., Executor]]:
    """Make executors of two processes here, as `on_ray` does."""
    from tl_core.executors.local import LocalExecutor

    made: list[Executor] = []

    def make(module: str = FAKE_WORKER, start: bool = True) -> Executor:
        executor = LocalExecutor(module, "2")
        if start:
            executor.start()
        made.append(executor)
        return executor

    yield make
    for executor in made:
        executor.close()


@pytest.fixture(params=["processes", pytest.param("ray", marks=pytest.mark.ray)])
def make(request: pytest.FixtureRequest) -> Callable[..., Executor]:
    """Make executors, here and on the cluster in turn."""
    if os.name != "posix":
        pytest.skip("needs POSIX signals")
    makers: Callable[..., Executor] = request.getfixturevalue(f"on_{request.param}")
    return makers


@pytest.fixture
def executor(make: Callable[..., Executor]) -> Executor:
    """A started executor with two places for fake workers."""
    return make()
