"""`backup`, `restore` and `clean`: the history as a file, and what can go from the disk."""

import argparse
import contextlib
from datetime import datetime
from pathlib import Path

from tl_core import cleaning
from tl_core.store import Store, StoreError, backups, replacing, store_path

NOT_IN_IT = "Data sets, weights and the cache are not in it: copy the data directory for these."


def backup(options: argparse.Namespace) -> int:
    """Write a complete copy of the history, also while jobs run."""
    path = store_path()
    if not path.exists():
        raise StoreError("There is no history yet: nothing to write.")
    backups.write(path, options.file)
    print(f"Written: {options.file}. {NOT_IN_IT}")
    return 0


def restore(options: argparse.Namespace) -> int:
    """Put a backup in the place of the history, which is kept aside."""
    store = store_path()
    if options.file == "latest":
        newest = backups.newest_sound(store)
        if newest is None:
            raise StoreError("There is no automatic backup. Name a file, or begin with `--empty`.")
        source, of = newest.path, f", of {_day(newest.made)}"
    else:
        source, of = Path(options.file), ""
    aside = replacing.restore(store, source)
    print(f"Restored: {source.name}{of}. {_kept(aside)}")
    return 0


def begin_empty(options: argparse.Namespace) -> int:
    """Begin an empty history; the one that was there is kept aside."""
    print(f"The next start begins an empty history. {_kept(replacing.begin_empty(store_path()))}")
    return 0


def clean(options: argparse.Namespace) -> int:
    """Remove, or with `--dry-run` only tell, what nobody needs any more."""
    with contextlib.closing(Store()) as store:
        items = cleaning.found(store, older_than=options.older_than, cache=options.cache)
        if not items:
            print("Nothing to remove.")
            return 0
        if not options.dry_run:
            cleaning.remove(store, items)
    for item in items:
        number = f"{item.count:,} " if item.count else ""
        print(f"{number}{item.what}: {item.size / 1e6:,.1f} MB")
    verb = "would return" if options.dry_run else "returned"
    print(f"{verb}: {sum(item.size for item in items) / 1e6:,.1f} MB")
    return 0


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment).strftime("%d %b %Y, %H:%M")


def _kept(aside: Path | None) -> str:
    if aside is None:
        return "There was no history before."
    return f"What was there before is kept in {aside.parent}."
