"""A comparison as one JSON document: what `--json` writes and the app offers for download."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from tl_core import setting_text
from tl_core.confidence import ConfidenceRow
from tl_core.config import BATCH_SIZE
from tl_core.flags import Evidence, flags
from tl_core.range_test import Found, findings
from tl_core.record import Record
from tl_core.recording import Recording
from tl_core.tables import StrategyRow, baselines, source_summary
from tl_core.verdict import Clause, verdict


def document(
    found: Record, rows: Sequence[StrategyRow], recorded: Recording | None = None
) -> dict[str, Any]:
    """Return the comparison as plain containers; raises ValueError before it has started.

    `recorded`: the recording that it was read from, None for what was measured on this machine.
    """
    started = found.started
    if started is None:
        raise ValueError("This comparison has not started: there is nothing to write yet.")
    config, data = started.config, started.dataset
    said = verdict(found, rows)
    evidence = Evidence(found, rows)
    calibrated = {name: _calibration(row) for name, row in evidence.confidence.items()}
    return {
        "dataset": {
            "name": data.name,
            "fingerprint": data.fingerprint,
            "classes": list(data.classes),
            "n_train": data.n_train,
            "n_validation": data.n_validation,
            "n_test": data.n_test,
        },
        "backbone": {"name": config.backbone, "weights_sha256": config.weights_sha256},
        "source": source_summary(started),
        "class_map": {name: list(indices) for name, indices in config.class_map.items()},
        "budget": config.budget,
        "steps": started.steps,
        "labels_per_class": config.labels_per_class,
        "settings": setting_text.plain(config.settings),
        "micro_batch": found.micro_batch or BATCH_SIZE,
        "input_size": started.input_size,
        "augmentation": config.augmentation,
        "regularisation": config.regularisation,
        "rate_range": config.rate_range and list(config.rate_range),
        "range_tests": [_range_test(one) for one in findings(found.ended.values())],
        "device": {
            "type": config.device,
            "name": started.device_name,
            "precision": config.precision,
            "threads": config.threads,
        },
        "versions": started.versions,
        "baselines": baselines(found, list(rows)),
        "rows": [
            {**msgspec.to_builtins(row), "calibration": calibrated.get(row.strategy)}
            for row in rows
        ],
        "verdict": said
        and {
            "recommended": said.recommended,
            "text": said.text,
            "clauses": [_plain(clause) for clause in said.clauses],
            "would_change_if": said.would_change_if and _plain(said.would_change_if),
        },
        "flags": [msgspec.to_builtins(flag) for flag in flags(evidence)],
        "command": started.command,
        "recorded": recorded and recorded.origin,
    }


def _range_test(found: Found) -> dict[str, Any]:
    """Return rates and losses; a loss that was no number is null."""
    return {
        "strategy": found.strategy,
        "steepest": found.steepest,
        "unstable_from": found.unstable_from,
        "learning_rates": [rate for rate, _ in found.points],
        "losses": [loss if math.isfinite(loss) else None for _, loss in found.points],
    }


def _plain(clause: Clause) -> dict[str, Any]:
    return {"text": clause.text, "numbers": dict(clause.numbers)}


def _calibration(row: ConfidenceRow) -> dict[str, Any]:
    """Return a strategy's calibration: fractions and nats, before and after its temperature."""
    plain: dict[str, Any] = msgspec.to_builtins(row)
    return {name: value for name, value in plain.items() if name != "strategy"}
