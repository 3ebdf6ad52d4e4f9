"""What lies between the linear probe and a fine-tuned model? Weights mixed, nothing trained."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from tl_core import backbones, metrics
from tl_core.activations import read_out_pass
from tl_core.adapted import Adapted, LinearHead
from tl_core.answers import Interpolation, Mixture
from tl_core.config import ComparisonConfig, NotPossible, RunConfig
from tl_core.datasets import Split
from tl_core.events import Answered, Event, Progress
from tl_core.execution import Execution
from tl_core.finished_runs import runs_of
from tl_core.forgetting import ready
from tl_core.inputs import PixelInputs
from tl_core.interpolation import between, reestimate_statistics
from tl_core.materials import Materials, SourceProbe, open_materials
from tl_core.trained import open_trained

# Of the way from the linear probe to the fine-tuned model, both ends included.
SHARES: Final = tuple(place / 10 for place in range(11))


@dataclass(frozen=True)
class Way:
    """Two models on one split, and what the models between them are asked."""

    materials: Materials
    split: Split
    start: Adapted
    end: Adapted

    @property
    def inputs(self) -> PixelInputs:
        """The target images, as every measurement sees them."""
        return PixelInputs(self.materials.pixels, False, self.materials.compute)


def interpolate(config: ComparisonConfig, request: Mapping[str, Any]) -> Iterator[Event]:
    """Yield progress, then the `Interpolation` of the first of the runs `request["runs"]`.

    `request["norm_statistics"]`: between the ends, statistics of batch normalisation are those of
    the training images. Raises NotPossible for a run that did not begin with the source model, and
    for statistics that a model does not have.
    """
    run_id, run = next(iter(runs_of(request).items()))
    reestimates = bool(request.get("norm_statistics"))
    way = yield from _open(config, run_id, run, reestimates)
    materials, points = way.materials, []
    for place, share in enumerate(SHARES):
        yield Progress(
            message=f"{share:.0%} of the way to {run.strategy.title}",
            fraction=place / len(SHARES),
        )
        inner = reestimates and 0.0 < share < 1.0
        points.append(_measured(way, mixed(way, share, inner), share, inner))
    probe, learning = materials.probe, materials.learning
    yield Answered(
        answer=Interpolation(
            run_id=run_id,
            strategy=run.strategy.name,
            title=run.strategy.title,
            seed=run.seed,
            test_labels=tuple(materials.labels[list(way.split.test)].tolist()),
            validation_images=len(way.split.validation),
            source_labels=tuple(probe.labels.tolist()) if probe else (),
            set_aside=probe.set_aside if probe else 0,
            learning_images=len(learning.labels) if learning else 0,
            lacks_learning=materials.lacks_learning,
            points=tuple(points),
        )
    )


def _open(
    config: ComparisonConfig, run_id: str, run: RunConfig, reestimates: bool
) -> Generator[Progress, None, Way]:
    """Yield progress; return the run's model and the linear probe of its split."""
    if run.strategy.solver != "steps" or not run.strategy.pretrained:
        raise NotPossible(
            f"{run.strategy.title} was not trained from the source model: there is no way from the "
            "linear probe to it. Choose a strategy that fine-tunes."
        )
    materials = yield from open_materials(config, learning=True)
    if reestimates and materials.row.normalisation != "batch":
        raise NotPossible(
            f"{materials.row.title} has no batch normalisation whose statistics could be "
            "estimated again."
        )
    runs = Execution(config, materials, lambda _: None, lambda _: None, lambda *_: None)
    probe = runs.probe_run(run.seed)
    start = yield from open_trained(materials, config, runs.identity(probe), probe)
    end = yield from open_trained(materials, config, run_id, run)
    return Way(materials, runs.split(run.seed), start, end)


def mixed(way: Way, share: float, reestimates: bool = False) -> Adapted:
    """Return the model a share of the way; at the ends it is that end, bit for bit."""
    first, last = (model.backbone.net.state_dict() for model in (way.start, way.end))
    backbone = backbones.build(way.materials.row, between(first, last, share))
    backbone = ready(backbone, way.materials.compute)
    if reestimates:
        reestimate_statistics(backbone, way.inputs, way.split.train, way.materials.compute)
    head = between(way.start.head.state_dict(), way.end.head.state_dict(), share)
    return Adapted(backbone, LinearHead(head["weight"], head["bias"]).eval())


def _measured(way: Way, model: Adapted, share: float, reestimated: bool) -> Mixture:
    materials = way.materials
    tested = _probabilities(way, model, way.split.test)
    validated = _probabilities(way, model, way.split.validation)
    labels = materials.labels[list(way.split.validation)]
    source = _source_classes(model, materials.probe, materials)
    learned = _source_classes(model, materials.learning, materials)
    return Mixture(
        share=share,
        test_predictions=tuple(tested.argmax(axis=1).tolist()),
        validation_accuracy=metrics.accuracy(validated.argmax(axis=1), labels),
        validation_loss=metrics.log_loss(validated, labels),
        source_predictions=None if source is None else tuple(source.tolist()),
        learning_accuracy=(
            None
            if learned is None or materials.learning is None
            else metrics.accuracy(learned, materials.learning.labels)
        ),
        reestimated=reestimated,
    )


def _probabilities(way: Way, model: Adapted, images: Sequence[int]) -> NDArray[np.float64]:
    compute = way.materials.compute
    seen = read_out_pass(model.backbone, way.inputs, images, compute)
    with torch.no_grad():
        scores = model.head(*(torch.from_numpy(values).to(compute.device) for values in seen))
    found: NDArray[np.float64] = scores.double().softmax(dim=1).cpu().numpy()
    return found


def _source_classes(
    model: Adapted, probe: SourceProbe | None, materials: Materials
) -> NDArray[np.intp] | None:
    """Return the source class of each image of a probe, by the original head; None without one."""
    if probe is None:
        return None
    every = range(len(probe.labels))
    logits = read_out_pass(model.backbone, probe.inputs, every, materials.compute)[1]
    classes: NDArray[np.intp] = logits.argmax(axis=1)
    return classes
