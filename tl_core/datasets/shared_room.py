"""Room in memory that threads share: who needs much waits until there is enough."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class SharedRoom:
    """Lets threads hold at most `size` together, in any unit; one alone may hold more."""

    def __init__(self, size: int) -> None:
        self.size, self.held = size, 0
        self.changed = threading.Condition()

    @contextmanager
    def holding(self, share: int) -> Iterator[None]:
        """Wait until there is room, and keep it to the end of the block."""
        with self.changed:
            self.changed.wait_for(lambda: not self.held or self.held + share <= self.size)
            self.held += share
        try:
            yield
        finally:
            with self.changed:
                self.held -= share
                self.changed.notify_all()
