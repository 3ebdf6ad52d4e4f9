"""The scores by name, with what each means and where it misleads."""

import numpy as np

from tl_core.transferability import evidence, geometry, label_transfer
from tl_core.transferability.images import Images, Labels
from tl_core.transferability.score import Score

ONE_BACKBONE = (
    "Scores rank source models. Every strategy on one model starts from the same features, so no "
    "score says which strategy is best."
)
# Images a class under which one neighbour decides too much, and clusters depend on chance.
FEW_IMAGES = 5
FEW_PER_CLUSTER = 10


def _many_source_classes(images: Images, labels: Labels) -> str | None:
    count, width = len(labels), 0 if images.source is None else images.source.shape[1]
    if width <= count:
        return None
    return (
        f"{width:,} source classes and only {count:,} images: most source classes are read off a "
        "handful of images, which flatters this score. Compare with shuffled labels."
    )


def _mostly_shrinkage(images: Images, labels: Labels) -> str | None:
    count, width = images.features.shape
    if count - 1 > width:
        return None
    return (
        f"{count:,} images for {width:,} features: the covariance is mostly shrinkage, so the "
        "value depends on how many images there are. Compare only on the same images."
    )


def _twins_or_few(images: Images, labels: Labels) -> str | None:
    smallest = int(np.bincount(labels).min())
    if smallest < FEW_IMAGES:
        return f"The smallest class has {smallest} images: its nearest neighbours are chance."
    twins = len(labels) - len({row.tobytes() for row in images.features})
    if twins:
        return f"{twins} images repeat another one exactly: each finds its twin, not its class."
    return None


def _saturated(images: Images, labels: Labels) -> str | None:
    overlap = -geometry.bhattacharyya_separation(images)(labels)
    if overlap > 1e-3:
        return None
    return (
        f"With {images.features.shape[1]:,} features no classes overlap any more: the value says "
        "nothing until features are reduced (pca=64)."
    )


def _few_per_cluster(images: Images, labels: Labels) -> str | None:
    each = len(labels) / (label_transfer.CLUSTERS * images.classes)
    if each >= FEW_PER_CLUSTER:
        return None
    return f"Only {each:.0f} images a cluster: a cluster that holds one class by chance is praised."


SCORES: dict[str, Score] = {
    score.name: score
    for score in (
        Score(
            "logme",
            "LogME",
            "How well a linear model on the features explains the labels, complexity counted.",
            evidence.log_maximum_evidence,
            "It has no intercept, so adding a constant to the features changes it; and it judges "
            "frozen features, not what fine-tuning makes of them.",
            on_screen=True,
        ),
        Score(
            "leep",
            "LEEP",
            "How well your labels can be read off the source model's own predictions.",
            label_transfer.log_expected_empirical_prediction,
            "It sees the source's classes only: features that a new head could use well count for "
            "nothing.",
            _many_source_classes,
            needs_source_probabilities=True,
            on_screen=True,
        ),
        Score(
            "nce",
            "NCE",
            "How certain your label is once the most likely source class is known.",
            label_transfer.negative_conditional_entropy,
            "It keeps the most likely source class only, so it changes in jumps.",
            _many_source_classes,
            needs_source_probabilities=True,
        ),
        Score(
            "h_score",
            "H-score (shrinkage)",
            "How far class means lie apart, measured in the features' own spread.",
            evidence.h_score,
            "Its covariance is shrunk, the more the fewer images there are.",
            _mostly_shrinkage,
        ),
        Score(
            "transrate",
            "TransRate",
            "How much shorter features can be written once the labels are known.",
            geometry.transrate,
            "It grows with the scale of the features: models whose features differ in scale or "
            "width do not compare.",
        ),
        Score(
            "gbc",
            "GBC",
            "How little classes overlap when each is drawn as a Gaussian.",
            geometry.bhattacharyya_separation,
            "It takes features as independent; each one more adds to the separation.",
            _saturated,
        ),
        Score(
            "n_leep",
            "N-LEEP",
            "How well your labels can be read off clusters of the features.",
            label_transfer.cluster_leep,
            "It depends on where the clusters start: another seed gives another value. Read its "
            "order, not its digits.",
            _few_per_cluster,
        ),
        Score(
            "parc",
            "PARC",
            "Whether images of one class have more similar features than images of two.",
            geometry.annotation_correlation,
            "A class of several separate kinds counts as unlike itself, though a head could learn "
            "it.",
        ),
        Score(
            "knn",
            "Nearest neighbour",
            "How often the most similar other image has the same label.",
            geometry.nearest_neighbour,
            "Scenes photographed several times find each other; on classes of unequal size it "
            "is high by chance.",
            _twins_or_few,
            on_screen=True,
        ),
    )
}
