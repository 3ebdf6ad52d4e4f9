"""From the session's choice to a queued comparison, and from an old comparison to a new one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import streamlit as st

from tl_core import datasets, estimate, offered, source_images, unusual
from tl_core.catalog import Model, catalog
from tl_core.config import DRAWN, ComparisonConfig, NotPossible
from tl_core.datasets import Dataset
from tl_core.estimate import Counts, Plan
from tl_core.ingest import source_probe
from tl_core.request import data_config
from tl_core.store import StoreError
from tl_core.strategies import STRATEGIES, Strategy, custom_strategy
from tl_core.weights import missing
from tl_core.wording import number_of
from tl_ui import class_map_editor, current, follow, room_limit, widgets, workshop
from tl_ui.state import Choice, choose


@dataclass(frozen=True)
class Prepared:
    """The next comparison, ready to be created unless `reason` says why not.

    `lacks_weights`: the one reason with ways out of its own.
    """

    config: ComparisonConfig
    data: Dataset
    row: Model
    counts: Counts
    given_split: bool
    lacks_weights: bool
    reason: str
    waiting: int


def prepared(chosen: Choice) -> Prepared:
    """Return what the choice stands for, with the reason why it cannot start, if there is one."""
    data, row, file, probe = (
        current.dataset(),
        current.model(),
        current.weights_file(),
        current.brought_probe(),
    )
    suggested = class_map_editor.suggest(data.classes, row.weights.source_classes)
    resolved = class_map_editor.resolved(suggested, chosen.class_map)
    config = ComparisonConfig(
        data=data_config(data, probe, row, draws=current.draws_probe()),
        backbone=row.name,
        weights_sha256=file.sha256 if file else "",
        strategies=strategies(chosen, row),
        class_map={name: indices for name, indices in resolved.items() if indices},
        seeds=chosen.seeds,
        budget=chosen.budget,
        steps=chosen.steps,
        learning_rate=chosen.learning_rate,
        class_balance=chosen.class_balance,
        labels_per_class=chosen.labels_per_class,
        input_size=chosen.input_size,
        augmentation=chosen.augmentation,
        regularisation=chosen.regularisation,
        rate_range=chosen.rate_range,
    )
    train, validation, test = sizes(data)
    drawn = source_probe.COUNT if current.draws_probe() else 0
    jobs = current.store().list(limit=100, active=True)
    queued = sum(job.status == "queued" for job in jobs)
    return Prepared(
        config=config,
        data=data,
        row=row,
        counts=Counts(
            train,
            validation,
            test,
            _measured(probe.fingerprint, row.name, probe) if probe else drawn,
            classes=len(data.classes),
            pixels=_pixels(data.fingerprint, data),
        ),
        given_split=datasets.has_given_split(data),
        lacks_weights=file is None,
        reason=_reason(config, row, file is None, queued) or room_limit.reason(),
        waiting=current.store().active_jobs(),
    )


def strategies(chosen: Choice, row: Model) -> tuple[Strategy, ...]:
    """Return the chosen strategies that can run; layers of one's own only if they fit the model."""
    own = chosen.frozen is not None and len(chosen.frozen) == len(row.blocks)
    out = refused(row)
    named = [STRATEGIES[n] for n in STRATEGIES if n in chosen.strategies and n not in out]
    return (*named, custom_strategy(chosen.frozen)) if own and chosen.frozen else tuple(named)


def refused(row: Model) -> dict[str, str]:
    """Return the strategies that cannot run with this model and these source images, with why."""
    return offered.refused(STRATEGIES.values(), row, current.source_images())


def sizes(data: Dataset) -> tuple[int, int, int]:
    """Return how many images train, validate and test with the first seed."""
    return _sizes(data.fingerprint, data)


@st.cache_data(max_entries=64, show_spinner=False)
def _sizes(fingerprint: str, _data: Dataset) -> tuple[int, int, int]:
    part = datasets.split(_data, 0)
    return len(part.train), len(part.validation), len(part.test)


@st.cache_data(max_entries=64, show_spinner=False)
def _measured(fingerprint: str, model: str, _probe: Dataset) -> int:
    return len(source_images.halves(_probe, catalog()[model]).measured.places)


@st.cache_data(max_entries=64, show_spinner=False)
def _pixels(fingerprint: str, _data: Dataset) -> float:
    return estimate.stored_pixels(_data)


def _reason(config: ComparisonConfig, row: Model, lacks_weights: bool, queued: int) -> str:
    if lacks_weights and not row.weights.url:
        return missing(row)
    if lacks_weights:
        return (
            f"The weights of {row.title} are not on this machine yet: download them "
            f"({row.weights.megabytes:.0f} MB), or bring your own file."
        )
    if not config.strategies:
        return "Choose at least one strategy in step 3."
    if all(strategy.solver == "none" for strategy in config.strategies) and not config.class_map:
        return (
            "Zero-shot transfer alone cannot run: none of your classes is mapped to a source "
            "class. Choose another strategy as well, or map the classes on the model page."
        )
    try:
        unusual.check(row, config.strategies, config, config.learning_rate)
    except NotPossible as fault:
        return str(fault)
    if queued >= current.whole_store().limits().waiting_per_person:
        return f"You already have {queued} comparisons waiting. Wait, or cancel one in the history."
    return ""


def plan(config: ComparisonConfig, counts: Counts) -> Plan | None:
    """Return what a comparison is expected to take on this machine, None for an unknown model."""
    store = current.store()
    return estimate.plan_of(config, counts, store.device(), store.speeds())


def start(
    config: ComparisonConfig,
    name: str | None = None,
    guess: str = "",
    request: Mapping[str, Any] | None = None,
) -> str | None:
    """Queue a comparison and show it; return its id, or None after saying why it cannot be.

    `guess`: the strategy that is expected to win. `request`: where the comparison comes from.
    Both are kept with the job, and nothing is computed from them.
    """
    row = catalog().get(config.backbone)
    title = name or f"{config.data.name} · {row.title if row else config.backbone}"
    try:
        job = current.store().create(config, title, request=request, tags=workshop.tags(guess))
    except StoreError as error:
        widgets.flash(widgets.safe_label(error, 400), ":material/error:")
        return None
    st.query_params["job"] = job
    return job


def again(config: ComparisonConfig, name: str, seeds: int | None = None) -> str | None:
    """Start an old comparison once more, with more seeds if wanted; finished runs are reused."""
    return start(msgspec.structs.replace(config, seeds=seeds or config.seeds), name)


def on_data(config: ComparisonConfig, data: Dataset) -> str | None:
    """Start an old comparison once more on another version of its data."""
    named = msgspec.structs.replace(config.data, fingerprint=data.fingerprint, name=data.name)
    return start(msgspec.structs.replace(config, data=named))


def adopt(config: ComparisonConfig) -> None:
    """Make an old comparison the choice, as far as it is still there, and show the set-up."""
    own = next((s for s in config.strategies if STRATEGIES.get(s.name) != s), None)
    row = catalog().get(config.backbone)
    frozen = None
    if own is not None and own.stages and row is not None:
        factors = own.stages[-1].last[::-1]
        frozen = tuple(factor is None for factor in factors)
        frozen = frozen if len(frozen) == len(row.blocks) else None
    changes: dict[str, object] = {
        "dataset": config.data.fingerprint,
        "probe": _chosen_probe(config, row),
        "strategies": tuple(s.name for s in config.strategies if s.name in STRATEGIES),
        "frozen": frozen,
        "class_map": dict(config.class_map),
        "seeds": config.seeds,
        "budget": config.budget,
        "steps": config.steps,
        "learning_rate": config.learning_rate,
        "class_balance": config.class_balance,
        "labels_per_class": config.labels_per_class,
        "input_size": config.input_size,
        "augmentation": config.augmentation,
        "regularisation": config.regularisation,
        "rate_range": config.rate_range,
    }
    if row is not None:
        changes |= {"backbone": row.name, "weights": config.weights_sha256 or None}
    choose(**changes)
    leave()


def _chosen_probe(config: ComparisonConfig, row: Model | None) -> str | None:
    """Return what to choose for the source images of a comparison to be made once more."""
    wanted = config.data.probe
    if wanted is not None:
        return DRAWN if wanted.startswith(DRAWN) else wanted
    # Without drawn images nothing was turned off.
    return None if row is not None and row.weights.drawn else DRAWN


def leave() -> None:
    """Go back to the set-up."""
    st.query_params.pop("job", None)


def resume(job: str) -> None:
    """Continue a failed or cancelled comparison where it stopped."""
    try:
        current.store().resume(job)
    except StoreError as error:
        widgets.flash(widgets.safe_label(error, 400), ":material/error:")
        return
    follow.forget(job)


def forgetting_text(ready: Prepared) -> str:
    """Return what forgetting will be measured on, if it will."""
    images = number_of(ready.counts.n_probe, "source image")
    if ready.config.data.probe is None:
        return "drift only, no source images"
    drawn = ready.config.data.probe.startswith(DRAWN)
    return f"forgetting on {images}, {'drawn here' if drawn else 'your own'}"


def budget_text(config: ComparisonConfig) -> str:
    """Return how much is trained, and what is changed about it."""
    words = [f"{config.budget} budget"]
    if config.steps is not None:
        words = [number_of(config.steps, "step")]
    if config.learning_rate is not None:
        words.append(f"learning rate {config.learning_rate:.2g}")
    if config.class_balance != "none":
        words.append("rare classes made up for")
    words += labels_text(config.labels_per_class)
    words += unusual.phrases(config)
    return ", ".join(words)


def labels_text(labels: int | None) -> list[str]:
    """Return that only some labels are used, if so, in one phrase."""
    return [] if labels is None else [f"{number_of(labels, 'label')} a class"]


def seeds_text(seeds: int) -> str:
    """Return `1 seed`, `3 seeds`."""
    return number_of(seeds, "seed")
