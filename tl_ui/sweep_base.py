"""What a sweep starts from: the Lab's choice, or the latest finished comparison on these data."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import streamlit as st

from tl_core.catalog import catalog
from tl_core.config import ComparisonConfig, Setting
from tl_core.store import Comparison
from tl_core.sweep_settings import settings_of
from tl_core.wording import number_of
from tl_ui import current, launch
from tl_ui.follow import follow
from tl_ui.launch import Prepared
from tl_ui.state import choice
from tl_ui.widgets import safe_label

_LOOK_BACK = 200


@dataclass(frozen=True)
class Base:
    """The comparison that is varied; `settings` are what its trials chose, by strategy."""

    config: ComparisonConfig
    settings: Mapping[str, Setting]
    ready: Prepared
    reason: str


def section() -> Base:
    """Let the user choose what to start from, where there is a choice; say what it is."""
    ready = launch.prepared(choice())
    latest = _latest(ready.config.data.fingerprint)
    chosen = "lab"
    if latest is not None:
        chosen = st.segmented_control(
            "Starts from",
            ["latest", "lab"],
            default="latest",
            required=True,
            format_func={"latest": "The latest comparison", "lab": "The Lab's plan"}.__getitem__,
            key="sweep_base",
            persist_state="session",
            help="Everything but the one thing that is varied stays as it is there.",
        )
    if chosen == "latest" and latest is not None and latest.config is not None:
        found = follow(latest.id).found
        config = found.started.config if found.started else latest.config
        base = Base(config, settings_of(found), ready, "")
        lead = f"Starts from **{safe_label(latest.name, 80)}**, with the rates that it chose"
    else:
        base = Base(ready.config, {}, ready, ready.reason)
        lead = "Starts from **the Lab's plan**, with the model's own rates"
    st.caption(f"{lead}: {_words(base.config)}.")
    return base


def _words(config: ComparisonConfig) -> str:
    row = catalog().get(config.backbone)
    parts = [
        safe_label(config.data.name, 60),
        row.title if row else safe_label(config.backbone),
        number_of(len(config.strategies), "strategy", "strategies"),
        launch.seeds_text(config.seeds),
        launch.budget_text(config),
    ]
    return ", ".join(parts)


def _latest(fingerprint: str) -> Comparison | None:
    """Return the newest finished comparison on a data set."""
    jobs = current.store().list(limit=_LOOK_BACK, kind="compare")
    return next(
        (
            job
            for job in jobs
            if job.status == "done"
            and job.config is not None
            and job.config.data.fingerprint == fingerprint
            and job.config.rate_range is None
        ),
        None,
    )


def narrowed(base: Base, names: tuple[str, ...], seeds: int) -> ComparisonConfig:
    """Return the base with some of its strategies and so many seeds."""
    kept = tuple(s for s in base.config.strategies if s.name in names)
    return msgspec.structs.replace(base.config, strategies=kept, seeds=seeds)
