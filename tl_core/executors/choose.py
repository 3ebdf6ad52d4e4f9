"""Which executor the runner uses: `TL_EXECUTOR` says `local`, as nothing does, or `ray`."""

import os
from collections.abc import Callable

from tl_core.executor import Executor, NotReady


def chosen(jobs_wait: Callable[[], bool]) -> Executor:
    """Return the executor that the environment asks for, not started.

    `TL_WORKER_MODULE`: what a worker is. `TL_SLOTS`: jobs at a time. For Ray, `TL_RAY_ADDRESS` is
    where the cluster's control process listens; without it, the cluster of this machine.
    `jobs_wait` as for `LocalExecutor`. Raises NotReady if there is no such executor here.
    """
    name = os.environ.get("TL_EXECUTOR", "local")
    module = os.environ.get("TL_WORKER_MODULE", "tl_core.worker")
    slots = os.environ.get("TL_SLOTS", "1")
    if name == "local":
        from tl_core.executors.local import LocalExecutor

        return LocalExecutor(module, slots, jobs_wait=jobs_wait)
    if name == "ray":
        return _on_ray(module, slots)
    raise NotReady(f"TL_EXECUTOR is '{name}': it can be 'local' or 'ray'.")


def _on_ray(module: str, slots: str) -> Executor:
    try:
        from tl_core.executors.ray_tasks import RayTasks
    except ImportError as error:
        raise NotReady("Ray is not installed: pip install -r requirements-ray.txt") from error
    if slots != "auto" and not (slots.isdecimal() and int(slots)):
        raise NotReady(
            f"TL_SLOTS is '{slots}': on a cluster, give the number of jobs at a time on each "
            "graphics card, from 1."
        )
    address = os.environ.get("TL_RAY_ADDRESS", "auto")
    return RayTasks(address, module, 1 if slots == "auto" else int(slots))
