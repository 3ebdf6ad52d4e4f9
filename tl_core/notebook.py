"""A comparison in a few lines of a notebook or script, without store or queue."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pandas as pd

from tl_core.document import document
from tl_core.events import Event
from tl_core.experiment import run_comparison
from tl_core.record import Record, add
from tl_core.request import Request, resolve
from tl_core.tables import StrategyRow, curve_frame, rows
from tl_core.verdict import verdict
from tl_core.weights import FIRST_MODEL


@dataclass
class Result:
    """A comparison that has ended; its tables are computed when they are asked for."""

    record: Record = field(default_factory=Record)

    @property
    def table(self) -> pd.DataFrame:
        """Everything measured, one row per strategy."""
        columns = list(StrategyRow.__struct_fields__)
        return pd.DataFrame(map(msgspec.to_builtins, rows(self.record)), columns=columns)

    @property
    def curves(self) -> pd.DataFrame:
        """Validation and forgetting, one row per strategy, seed and epoch."""
        return curve_frame(self.record)

    @property
    def verdict(self) -> str:
        """The verdict in plain words; empty when nothing was measured."""
        said = verdict(self.record, rows(self.record))
        return said.text if said else ""

    @property
    def document(self) -> dict[str, Any]:
        """Everything as plain containers, as `--json` writes it."""
        return document(self.record, rows(self.record))


def compare(
    data: str,
    backbone: str = FIRST_MODEL,
    *,
    strategies: Sequence[str] | None = None,
    freeze: Sequence[str] | None = None,
    class_map: Mapping[str, Sequence[int]] | None = None,
    settings: Mapping[str, Mapping[str, float]] | None = None,
    watch: Callable[[Event], None] = lambda _: None,
    **wanted: Any,
) -> Result:
    """Compare strategies on labelled images and return what was measured.

    `freeze`: blocks that a strategy of one's own freezes. `class_map`: target class to indices of
    source classes, None to suggest one. `settings`: rate, decay and penalty strength of strategies
    whose trials are over, by name. `wanted`: further fields of `request.Request`. `watch` is
    called with every event. Raises what `request.resolve` raises.
    """
    if strategies is not None:
        wanted["strategies"] = tuple(strategies)
    if freeze is not None:
        wanted["freeze"] = tuple(freeze)
    if class_map is not None:
        wanted["mapping"] = json.dumps({name: list(i) for name, i in class_map.items()})
    if settings:
        wanted["settings"] = json.dumps({name: dict(one) for name, one in settings.items()})
    request = Request(data=str(data), backbone=backbone, **wanted)
    config, _ = resolve(request, lambda message, fraction: None)
    result = Result()
    for event in run_comparison(config, lambda _: None, lambda _: None, lambda *_: None):
        add(result.record, event)
        watch(event)
    return result
