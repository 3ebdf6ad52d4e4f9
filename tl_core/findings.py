"""What a data check found: plain data, so that every room can carry it."""

from typing import Literal

import msgspec

Severity = Literal["serious", "worth a look", "fine"]


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One finding. `kind` is a name of `checks.CHECKS`, `images` are indices into the data set.

    `images` come most suspicious first where there is an order. `remedy` is empty where nothing is
    wrong. `groups`: images that belong together; `suggested`: labels, parallel to `images`.
    """

    kind: str
    title: str
    text: str
    remedy: str = ""
    images: tuple[int, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()
    suggested: tuple[int, ...] = ()
    severity: Severity = "worth a look"
