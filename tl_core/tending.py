"""The store as the queue's process opens it: looked through first, and copied every day."""

import contextlib
from collections.abc import Iterator

from tl_core.store import Store, StoreDamaged, StoreFull, backups, replacing, store_path
from tl_core.store.database import DAMAGED


@contextlib.contextmanager
def tended() -> Iterator[tuple[Store, backups.Daily]]:
    """Give the open store, and its backups, to be looked at again and again.

    Raises StoreDamaged, with nothing written, where it is damaged, and StoreError as `Store` does.
    """
    if replacing.trouble(store_path()):
        raise StoreDamaged(DAMAGED)
    with contextlib.closing(Store()) as store:
        with contextlib.suppress(StoreFull):  # once more at the next start
            store.make_shrinkable()
        daily = backups.Daily(store.path)
        try:
            yield store, daily
        finally:
            daily.join()
