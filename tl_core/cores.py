"""How many of the machine's cores this process may use."""

from joblib import cpu_count


def cores() -> int:
    """Return how many, at least 1: no more than a container or a scheduler leaves it.

    A thread more than that waits at every step for one that is not running, and all others for it.
    """
    return max(1, int(cpu_count()))
