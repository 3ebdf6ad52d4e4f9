"""Jobs as Ray Core tasks on a cluster, each in a process of its own. Only the runner imports this.

Retries, fairness and leases stay with the runner: Ray would repeat a lost task behind all others
and does not report a machine that is frozen.
"""

import importlib
import os
import platform
import time
from collections.abc import Sequence
from typing import Any

import ray
import ray.exceptions
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from tl_core import pipe
from tl_core.executor import Lease, Lost, NotReady, Told
from tl_core.executors import preflight
from tl_core.executors.collector import Collector, CollectorEnd
from tl_core.home import home
from tl_core.worker_process import plain

# A machine on which no worker gets ready within this time, which imports torch, is not usable.
READY_SECONDS = 120.0
# Ray's name for the machine where the control process runs.
HEAD = "node:__internal_head__"


def work(collector: Any, lease: Lease, line: bytes, module: str, settings: dict[str, str]) -> None:
    """Be a worker on some machine: one job, then the process exits."""
    worker = _worker(module, settings)

    def call(method: str, *arguments: Any) -> Any:
        try:
            # Not `ray.get`: a task that waits there lends its processors to the next one.
            return getattr(collector, method).remote(*arguments).future().result()
        except ray.exceptions.RayActorError:
            # The runner has gone, and with it the collector.
            os._exit(0)

    end = CollectorEnd(call, lease)
    end.send(pipe.Ready(worker.prepare()))
    job = pipe.to_worker.decode(line)
    assert isinstance(job, pipe.Job)
    pipe.beat(end)
    end.send(worker.perform(job, end))


def look(module: str, settings: dict[str, str]) -> preflight.Seen:
    """Say what a machine has, as the worker there sees it."""
    return preflight.look(platform.node(), _worker(module, settings).prepare())


def _worker(module: str, settings: dict[str, str]) -> Any:
    # Ray's own choice of threads would make other numbers than a process on this machine.
    os.environ.pop("OMP_NUM_THREADS", None)
    os.environ.update(settings)
    return importlib.import_module(module)


# Never repeated by Ray, and each in its own process, whose memory goes back with it.
WORK, LOOK = (ray.remote(max_calls=1, max_retries=0)(function) for function in (work, look))


class RayTasks:
    """The executor of a cluster at `address`; `slots`: jobs at a time on each graphics card.

    Where no machine has one, a job takes as many processors as the smallest machine has, divided
    by `slots`, and computes on as many threads. `module`: a worker, with `prepare` and `perform`.
    """

    def __init__(
        self,
        address: str,
        module: str = "tl_core.worker",
        slots: int = 1,
        *,
        ready_seconds: float = READY_SECONDS,
    ) -> None:
        self._address, self._module, self._slots = address, module, slots
        self._ready_seconds = ready_seconds
        self._kind, self._share = "CPU", 1.0
        self._tasks: dict[Lease, Any] = {}
        # When each was submitted of which nothing was heard yet.
        self._silent: dict[Lease, float] = {}
        # Tasks nobody waits for any more, whose process may still be there: on a frozen machine.
        self._leaving: list[Any] = []
        self._refused: list[Told] = []
        self._report: dict[str, Any] | None = None

    def start(self) -> None:
        """Connect and look at every machine; raises NotReady with a remedy."""
        preflight.require_token(os.environ)
        preflight.require_listener(self._address)
        try:
            ray.init(self._address, log_to_driver=False, configure_logging=False)
        except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            raise NotReady(
                f"There is no cluster at {self._address}, or it refuses this token: "
                f"{plain(str(error))} Start it by `ray start --head` (docs/cluster.md)."
            ) from error
        try:
            self._look_around()
        except BaseException:
            ray.shutdown()
            raise
        collector = ray.remote(Collector).options(num_cpus=0, resources={HEAD: 0.001})
        self._collector = collector.remote()

    def _look_around(self) -> None:
        machines = _machines()
        self._kind = "GPU" if any(has.get("GPU") for has in machines.values()) else "CPU"
        sizes = [has[self._kind] for has in machines.values() if has.get(self._kind)]
        if not sizes:
            raise NotReady("No machine of the cluster offers processors: see `ray status`.")
        self._share = (1.0 if self._kind == "GPU" else min(sizes)) / self._slots
        nonce = preflight.write_nonce()
        asked = [self._ask(node) for node, has in machines.items() if has.get(self._kind)]
        try:
            seen = ray.get(asked, timeout=self._ready_seconds)
        except ray.exceptions.GetTimeoutError as error:
            raise NotReady(
                f"Not every machine of the cluster answered within {self._ready_seconds:.0f} "
                "seconds: see `ray status` for machines that hang or are busy with other work."
            ) from error
        except ray.exceptions.RayError as error:
            raise NotReady(
                f"A machine of the cluster cannot run Transfer Lab: {_cause(error)}"
            ) from error
        preflight.agree(seen, nonce)
        self._report = seen[0].report

    def _ask(self, node: str) -> Any:
        there = NodeAffinitySchedulingStrategy(node, soft=False)
        return self._slot(LOOK, scheduling_strategy=there).remote(self._module, self._settings())

    def _slot(self, function: Any, **options: Any) -> Any:
        """Return a remote function as one that takes a slot."""
        need = {"CPU": {"num_cpus": self._share}, "GPU": {"num_cpus": 0, "num_gpus": self._share}}
        return function.options(**need[self._kind], **options)

    def _settings(self) -> dict[str, str]:
        """Return the environment of this app, for every machine."""
        ours = {name: value for name, value in os.environ.items() if name.startswith("TL_")}
        if self._kind == "CPU":
            ours["TL_THREADS"] = str(max(1, int(self._share)))
        return {**ours, "TL_HOME": str(home().resolve())}

    def report(self) -> dict[str, Any] | None:
        """Return device and versions of the first machine; the others have the same versions."""
        return self._report

    def trouble(self) -> str:
        """Return why no worker can start: nothing, once the machines have been looked at."""
        return ""

    def free(self) -> int:
        """Return how many slots the machines that are there have left."""
        self._leaving = [task for task in self._leaving if not _over([task])]
        slots = sum(int(has.get(self._kind, 0) / self._share) for has in _machines().values())
        return max(0, slots - len(self._tasks) - len(self._leaving))

    def submit(self, lease: Lease, job: pipe.Job) -> None:
        """Start a task, unless the cluster lacks what it needs: Ray would wait without a word."""
        if self._kind == "CPU" and job.config is not None and job.config.device == "cuda":
            reason = "No machine of the cluster has a graphics card. Choose the CPU as device."
            self._refused.append((lease, pipe.Failed(reason)))
            return
        self._silent[lease] = time.monotonic()
        self._tasks[lease] = self._slot(WORK).remote(
            self._collector, lease, pipe.encode(job), self._module, self._settings()
        )

    def send(self, lease: Lease, message: pipe.ToWorker) -> None:
        """Leave a message for a task at the collector."""
        if lease in self._tasks:
            self._collector.tell.remote(lease, pipe.encode(message))

    def stop(self, lease: Lease) -> None:
        """Have a task's process killed; where its machine is frozen, as soon as it thaws."""
        if lease in self._tasks:
            ray.cancel(self._tasks[lease], force=True)
            self._forget(lease)

    def _forget(self, lease: Lease) -> None:
        self._silent.pop(lease, None)
        self._leaving.append(self._tasks.pop(lease))
        self._collector.drop.remote(lease)

    def poll(self, seconds: float) -> Sequence[Told]:
        """Return what tasks said, waiting at most `seconds`, and which were lost."""
        told, self._refused = self._refused, []
        # Looked at first: what these have said is then at the collector.
        ended = _over(self._tasks.values())
        wait = 0.0 if told or ended else seconds
        for lease, line in ray.get(self._collector.take.remote(wait)):
            if lease in self._tasks:
                self._silent.pop(lease, None)
                message = pipe.from_worker.decode(line)
                told.append((lease, message))
                if isinstance(message, pipe.LAST):
                    self._forget(lease)
        for lease in [lease for lease, task in self._tasks.items() if task in ended]:
            told.append((lease, _why(self._tasks[lease])))
            self._forget(lease)
        return told + self._never_ready()

    def _never_ready(self) -> list[Told]:
        """Give up tasks that do not start: their machine froze before they could say a word."""
        latest = time.monotonic() - self._ready_seconds
        late = [lease for lease, since in self._silent.items() if since < latest]
        for lease in late:
            self.stop(lease)
        return [(lease, Lost("The training process did not get ready in time.")) for lease in late]

    def close(self) -> None:
        """Leave the cluster, which ends this runner's tasks wherever they are."""
        for lease in list(self._tasks):
            self.stop(lease)
        ray.shutdown()


def _machines() -> dict[str, dict[str, float]]:
    """Return what each machine that is there offers, by its id."""
    return {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}


def _over(tasks: Any) -> list[Any]:
    """Return those of the tasks that have ended in whatever way."""
    waiting = list(tasks)
    return ray.wait(waiting, num_returns=len(waiting), timeout=0)[0] if waiting else []


def _why(task: Any) -> Lost | pipe.Failed:
    """Say for the user why a task ended without a last message."""
    try:
        ray.get(task)
    except ray.exceptions.OutOfMemoryError:
        return Lost("The training process was ended because its machine's memory ran out.", True)
    except ray.exceptions.RayTaskError as error:
        return pipe.Failed(f"The training process failed: {_cause(error)}", str(error))
    except ray.exceptions.NodeDiedError:
        return Lost("The machine of the training process was lost.")
    except ray.exceptions.RayError:
        pass
    return Lost("The training process ended unexpectedly.")


def _cause(error: Exception) -> str:
    """Return what was raised, without the way that it took through the cluster."""
    return plain(str(getattr(error, "cause", error)))
