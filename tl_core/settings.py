"""What two comparisons were asked for, where it differs, in words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tl_core.catalog import catalog
from tl_core.config import ComparisonConfig
from tl_core.regularisation import RULES
from tl_core.unusual import AUGMENTATION, range_text, size_text
from tl_core.wording import listed, number_of


@dataclass(frozen=True)
class Setting:
    """One setting and what it was in the first and in the second comparison; user text inside."""

    title: str
    first: str
    second: str


def differing(first: ComparisonConfig, second: ComparisonConfig) -> list[Setting]:
    """Return the settings in which two comparisons differ; what each was resolved to counts."""
    found = [Setting(title, say(first), say(second)) for title, say in _SAID.items()]
    return [one for one in found if one.first != one.second]


def _model(config: ComparisonConfig) -> str:
    row = catalog().get(config.backbone)
    return row.title if row else config.backbone


def _strategies(config: ComparisonConfig) -> str:
    return listed([s.title for s in config.strategies]) if config.strategies else "none"


def _source(config: ComparisonConfig) -> str:
    probe = config.data.probe
    if probe is None:
        return "none"
    return f"{config.data.probe_name or 'source images'} ({probe[:14]})"


def _frozen(config: ComparisonConfig) -> str:
    """Return which blocks a strategy of the user's own freezes, from the image on."""
    own = next((s for s in config.strategies if s.name == "custom" and s.stages), None)
    if own is None:
        return "–"
    return "".join("T" if factor is not None else "f" for factor in own.stages[-1].last[::-1])


def _settled(config: ComparisonConfig) -> str:
    """Return what was fixed beforehand, a strategy after the other."""
    said = []
    for name, one in sorted(config.settings.items()):
        penalty = "" if one.penalty_strength is None else f", penalty {one.penalty_strength:g}"
        said.append(f"{name}: rate {one.learning_rate:g}, decay {one.weight_decay:g}{penalty}")
    return "; ".join(said) or "found by trials"


def _mapped(config: ComparisonConfig) -> str:
    pairs = [
        f"{name}: {', '.join(map(str, indices))}"
        for name, indices in sorted(config.class_map.items())
    ]
    return "; ".join(pairs) or "none"


_SAID: Final[dict[str, Callable[[ComparisonConfig], str]]] = {
    "Data": lambda c: f"{c.data.name} ({c.data.fingerprint[:8]})",
    "Model": _model,
    "Weights": lambda c: c.weights_sha256[:12] or "not chosen",
    "Strategies": _strategies,
    "My layers (T trained, f frozen)": _frozen,
    "Seeds": lambda c: number_of(c.seeds, "seed"),
    "Budget": lambda c: c.budget,
    "Steps": lambda c: "the budget's" if c.steps is None else number_of(c.steps, "step"),
    "Learning rate": lambda c: (
        "the model's own" if c.learning_rate is None else f"{c.learning_rate:.2g}"
    ),
    "Rare classes": lambda c: {"none": "as they are"}.get(c.class_balance, c.class_balance),
    "Settings of strategies": _settled,
    "Labels per class": lambda c: "all" if c.labels_per_class is None else str(c.labels_per_class),
    "Input size": lambda c: size_text(c.input_size),
    "Augmentation": lambda c: AUGMENTATION[c.augmentation],
    "Regularisation": lambda c: RULES[c.regularisation].title,
    "Range test of learning rates": lambda c: range_text(c.rate_range),
    "Source images": _source,
    "Class map": _mapped,
    "Device": lambda c: c.device,
    "Precision": lambda c: c.precision,
    "Threads": lambda c: str(c.threads),
}
