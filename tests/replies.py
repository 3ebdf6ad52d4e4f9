"""Made-up but consistent answers to questions, for tests of what shows them."""

from tl_core.answers import (
    Distance,
    Estimate,
    Interpolation,
    Mixture,
    RankedModel,
    RankedScore,
    Ranking,
    Soundness,
    Stress,
    Variant,
)
from tl_core.catalog import find
from tl_core.findings import Finding
from tl_core.source_images import why_none_to_learn
from tl_core.variants import VARIANTS


def estimate(value: float, reach: float = 2.0) -> Estimate:
    return Estimate(value=value, low=value - reach, high=value + reach)


def ranked(model: str, logme: float, leep: float, knn: float) -> RankedModel:
    """One model with the three scores that are on screen."""
    values = {"logme": logme, "leep": leep, "knn": knn}
    scores = {
        name: RankedScore(value=value, shuffled=value - 1, cautions=(f"Mind {name}.",))
        for name, value in values.items()
    }
    return RankedModel(
        model=model,
        title=find(model).title,
        scores=scores,
        seconds=2.5,
        milliseconds=31.0,
        megabytes=find(model).weights.megabytes,
    )


def ranking(*models: RankedModel) -> Ranking:
    return Ranking(images=80, classes=8, models=models)


def variant(name: str, loss: float, *, source: bool = True, noticed: str = "") -> Variant:
    """One way of handing images over, with a loss of the probe in points."""
    return Variant(
        name=name,
        target_loss=estimate(loss),
        source_loss=estimate(loss + 1) if source else None,
        zero_shot_loss=None,
        familiarity=estimate(-1.0),
        mean=0.0,
        std=1.0,
        low=-2.0,
        high=2.0,
        noticed=noticed,
    )


def stress(*, images: int = 200, source: bool = True, mismatch: str = "") -> Stress:
    """Every mistake; each one costs five points more than the one before, the first nothing."""
    return Stress(
        images=images,
        source_images=200 if source else 0,
        target_accuracy=0.95,
        source_accuracy=0.85 if source else None,
        zero_shot_accuracy=None,
        variants=tuple(
            variant(name, 5.0 * place, source=source, noticed="Seen." if place == 2 else "")
            for place, name in enumerate(VARIANTS)
        ),
        mismatch=mismatch,
    )


def soundness(*findings: Finding, mmd: float = 0.01) -> Soundness:
    """A data check with these findings; by itself near the source and nothing found."""
    one = Distance(name="mmd", title="MMD²", value=mmd, null_low=0.0, null_high=0.02, p=0.2)
    return Soundness(
        images=300,
        mismatch="",
        findings=findings,
        source="photographs",
        source_images=40,
        distances=(one,),
    )


def interpolation(
    *, strategy: str = "full_fine_tuning", source: int = 200, learning: bool = True
) -> Interpolation:
    """A way on which the source skill falls all along; the target rises at its beginning alone."""
    test = 100
    points = []
    for place in range(11):
        right, known = test - (30, 8, 3)[place] if place < 3 else test - 2, source
        known -= round(source * 0.06 * place)
        points.append(
            Mixture(
                share=place / 10,
                test_predictions=(1,) * right + (0,) * (test - right),
                validation_accuracy=right / test,
                validation_loss=0.2,
                source_predictions=(5,) * known + (6,) * (source - known),
                learning_accuracy=known / source if learning else None,
                reestimated=False,
            )
        )
    return Interpolation(
        run_id="full_fine_tuning-0-final",
        strategy=strategy,
        title="Full fine-tuning",
        seed=0,
        test_labels=(1,) * test,
        validation_images=40,
        source_labels=(5,) * source,
        set_aside=source if learning else 0,
        learning_images=source if learning else 0,
        lacks_learning="" if learning else why_none_to_learn(source),
        points=tuple(points),
    )
