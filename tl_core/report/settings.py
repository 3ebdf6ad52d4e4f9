"""What a comparison was made of, as names and values: data, plan, machine, licences."""

from typing import Final

from tl_core import setting_text
from tl_core.catalog import catalog, source_classes
from tl_core.regularisation import RULES
from tl_core.report.subject import Subject
from tl_core.source_images import measured_on
from tl_core.tables import source_summary
from tl_core.unusual import AUGMENTATION, range_text
from tl_core.wording import listed, number_of, percent

Pairs = list[tuple[str, str]]

PLOTLY: Final = "plotly.js, copyright Plotly, Inc., MIT licence"


def data(of: Subject) -> Pairs:
    """Return what the data are and how they were divided."""
    facts = of.started.dataset
    parts = (
        f"{facts.n_train:,} training, {facts.n_validation:,} validation and "
        f"{number_of(facts.n_test, 'test image')}"
    )
    split = (
        f"as it was brought: {parts}"
        if facts.given_split
        else f"by seed, stratified; the first has {parts}; {facts.n_test_all_seeds:,} different "
        "test images over all seeds"
    )
    left = f"; {facts.left_out:,} left out, as copies across parts" if facts.left_out else ""
    return [
        ("Data set", facts.name),
        ("Fingerprint", facts.fingerprint),
        (
            "Images",
            f"{facts.images:,} in {number_of(len(facts.classes), 'class', 'classes')}{left}",
        ),
        ("Split", split),
        ("Refused", number_of(facts.refused, "file") if facts.refused else "nothing"),
    ]


def source(of: Subject) -> Pairs:
    """Return what forgetting was measured on, or why only drift is shown."""
    probe, summary = of.started.source, source_summary(of.started)
    if probe is None or summary is None:
        return [
            (
                "Source images",
                "none: what training changed is called drift (predictions that differ from the "
                "original model's), never forgetting",
            )
        ]
    said = (
        f"{probe.name}: {measured_on(probe)} of {probe.classes:,} of "
        f"{number_of(probe.source_classes, 'source class', 'source classes')}"
    )
    if not probe.rated:
        return [("Source images", f"{said}; too few for a rate, so drift is shown")]
    ends = f"{percent(summary['ci_low'])} to {percent(summary['ci_high'])}"
    before = f"the original model gets {percent(summary['accuracy_before'])} of them right ({ends})"
    return [("Source images", f"{said}; {before}"), ("Their fingerprint", probe.fingerprint)]


def plan(of: Subject) -> Pairs:
    """Return what was asked for."""
    started, config = of.started, of.started.config
    rate = "the model's own" if config.learning_rate is None else f"{config.learning_rate:g}"
    labels = config.labels_per_class
    balance = {"none": "no", "weights": "by loss weights", "sampling": "by drawing them more often"}
    return [
        ("Model", f"{started.backbone_title} ({config.backbone})"),
        ("Weights (SHA-256)", config.weights_sha256),
        ("Input", f"{started.input_size} pixels wide"),
        ("Seeds", f"{config.seeds}"),
        ("Budget", f"{config.budget}: {number_of(started.steps, 'step')} of 32 images"),
        ("Learning rate of the backbone", rate),
        ("Rare classes made up for", balance[config.class_balance]),
        *([("Training images of a class", f"{labels} at most")] if labels is not None else []),
        *([("Settled before", setting_text.text(config.settings))] if config.settings else []),
        ("Augmentation", AUGMENTATION[config.augmentation]),
        ("Regularisation", RULES[config.regularisation].title),
        ("Range test of learning rates", range_text(config.rate_range)),
    ]


def class_map(of: Subject) -> Pairs:
    """Return which source classes stand for which class in zero-shot transfer."""
    config = of.started.config
    row = catalog().get(config.backbone)
    if row is None:
        return []
    names = {one.index: one.names[0] for one in source_classes(row.weights.source_classes)}
    pairs = [
        (name, listed([names[index] for index in indices]))
        for name, indices in config.class_map.items()
        if indices
    ]
    without = of.started.unmapped_classes
    if pairs and without:
        pairs.append(("Without a source class", listed([f"“{name}”" for name in without])))
    return pairs


def environment(of: Subject) -> Pairs:
    """Return the machine and the versions that computed the numbers."""
    started, config = of.started, of.started.config
    threads = f", {number_of(config.threads, 'thread')}" if config.threads else ""
    return [
        ("Device", f"{started.device_name} ({config.device}{threads})"),
        ("Precision", config.precision),
        *((name, version) for name, version in started.versions.items()),
    ]


def licences(of: Subject) -> Pairs:
    """Return under which terms model, weights and this file's charts are."""
    row = catalog().get(of.started.config.backbone)
    if row is None:
        return [("Model", "not in this version's catalog: its terms are unknown")]
    about = row.weights
    return [
        ("Code of the model", about.code_licence),
        ("Weights", about.weights_licence),
        ("Commercial use of the weights", about.commercial),
        ("Charts in this file", PLOTLY),
    ]
