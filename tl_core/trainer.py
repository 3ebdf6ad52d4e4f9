"""The one loop: a model, a strategy and batches in, events out. Knows nothing of images."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tl_core.backbones import Backbone
from tl_core.batches import VIEWS, Batches, learning_rate
from tl_core.catalog import Optimizer
from tl_core.config import RunConfig
from tl_core.device import Compute, synchronise
from tl_core.early_stopping import EarlyStopping
from tl_core.events import EpochEnded
from tl_core.freezing import apply_stage, set_modes
from tl_core.heads import Head
from tl_core.inputs import Inputs, Part, generator
from tl_core.mixup import Mix, drawn
from tl_core.optimizers import Stepper
from tl_core.penalties import Distillation, Penalty, Pull
from tl_core.plans import evaluated_every
from tl_core.range_test import exploded
from tl_core.regularisation import RULES
from tl_core.rehearsal import Rehearsal
from tl_core.stages import frozen_prefix, stage_ends, stages_of


class SourceWatch(Protocol):
    """Looks at the source task after every epoch.

    `validation_images`: of how many validation images, from the first on, it wants to be told.
    """

    validation_images: int

    def look(self, backbone: Backbone, validation: Tensor) -> tuple[float | None, float | None]:
        """Return (source accuracy, agreement with the original); None where not measured.

        `validation`: the original head's logits of the wanted validation images.
        """


@dataclass
class Prediction:
    """Class probabilities N x C of some images, and their mean cross-entropy (nats)."""

    probabilities: NDArray[np.float64]
    loss: float
    accuracy: float


class Fit:
    """One training run; iterate over it for its events, once.

    Between two events `state()` holds all that is needed to go on: a new Fit with the same
    arguments and `resume=state` continues bit for bit on CPU. It never prints, draws or saves.
    """

    def __init__(
        self,
        run_id: str,
        run: RunConfig,
        backbone: Backbone,
        head: Head,
        inputs: Inputs,
        training: Part,
        validation: Part,
        compute: Compute,
        optimizer: Optimizer = "sgd",
        source: SourceWatch | None = None,
        resume: dict[str, Any] | None = None,
        *,
        chosen: int | None = None,
        penalty: Penalty | None = None,
        seconds: float = 0.0,
    ) -> None:
        """Prepare; raises ValueError if the strategy has no stages to train.

        `chosen`: the block that the strategy's choice fell on. `penalty`: what its kind is made of.
        `seconds`: what was spent on the run before its first step.
        """
        if not run.strategy.stages:
            raise ValueError(f"{run.strategy.name} has no stages: there is nothing to train.")
        self.run_id, self.run, self.compute = run_id, run, compute
        self.backbone, self.head, self.inputs = backbone, head, inputs
        self.training, self.validation, self.source = training, validation, source
        self.optimizer_name = optimizer
        self._indices = torch.tensor(training.indices)
        self._labels = torch.tensor(training.labels, device=compute.device)
        self._batches = Batches(training.labels, run, head.linear.out_features)
        self._weights = self._batches.weights.to(compute.device)
        self.step, self.seconds, self.diverged = 0, seconds, False
        self.history: list[EpochEnded] = []
        blocks = len(backbone.blocks)
        self.chosen = chosen
        self.stages = stages_of(run.strategy, blocks, chosen)
        self._ends = stage_ends(run.strategy, blocks, run.steps)
        self._pull = penalty if isinstance(penalty, Pull) else None
        self._distillation = penalty if isinstance(penalty, Distillation) else None
        self._rehearsal = penalty if isinstance(penalty, Rehearsal) else None
        self._rules = RULES[run.regularisation]
        # Where training begins, whether what lies before is kept or computed anew.
        prefix = frozen_prefix(run.strategy, blocks, chosen) if run.strategy.pretrained else 0
        self._mixed_at = max(prefix, inputs.boundary)
        self._stopping: EarlyStopping | None = None
        if self._rules.patience is not None:
            self._stopping = EarlyStopping(self._rules.patience, backbone.net, head)
        torch.manual_seed(run.seed)
        self._enter_stage(0)
        if resume is not None:
            self._resume(resume)

    @property
    def steps_per_epoch(self) -> float:
        """Steps in which every training image is seen once on average."""
        return len(self.training.indices) / self.run.batch_size

    def __iter__(self) -> Iterator[EpochEnded]:
        """Train until it is over, yielding after every epoch."""
        every = evaluated_every(self.run.kind, self.run.steps, self.steps_per_epoch)
        if not self.history:
            self.history.append(self._evaluate(None))
            yield self.history[-1]
        while not self._over:
            until = min((self.step // every + 1) * every, self.run.steps)
            loss = self._train(until)
            self.history.append(self._evaluate(loss))
            if self._stopping is not None:
                self._stopping.look(self.step, self.history[-1].validation_loss)
            yield self.history[-1]
        if self._stopping is not None:
            self._stopping.bring_back()

    @property
    def _over(self) -> bool:
        """Whether nothing is left to be trained, or to be learnt from going on."""
        stopped = self._stopping is not None and self._stopping.over
        if self.run.kind == "range_test":
            losses = [event.train_loss for event in self.history if event.train_loss is not None]
            stopped = exploded(losses)
        return self.step >= self.run.steps or self.diverged or stopped

    @property
    def kept_step(self) -> int | None:
        """The step whose weights are the result, where that need not be the last one."""
        return self._stopping.step if self._stopping is not None else None

    def _train(self, until: int) -> float:
        """Take steps up to `until`; return their mean loss."""
        started, losses = time.perf_counter(), []
        self._train_mode()
        while self.step < until:
            if self.step >= self._ends[self.stage]:
                # With few steps two stages may begin at once.
                after = next(i for i, end in enumerate(self._ends) if end > self.step)
                self._enter_stage(after)
                self._train_mode()
            losses.append(self._step())
            self.step += 1
        mean = float(torch.stack(losses).mean())
        synchronise(self.compute.device)
        self.seconds += time.perf_counter() - started
        self.diverged = not math.isfinite(mean)
        return mean

    def _train_mode(self) -> None:
        statistics = self.run.strategy.norm_statistics
        set_modes(self.backbone, self.head, self.stages[self.stage], statistics)

    def _step(self) -> Tensor:
        """Take one step; micro-batches add up to the gradient of the whole batch."""
        places = self._batches.places(self.step)
        randomness = generator(VIEWS, self.run.seed, self.step)
        self.optimizer.set_rate(learning_rate(self.run, self.step))
        self.optimizer.zero_grad()
        losses: list[Tensor] = []
        for part in torch.split(places, self.run.micro_batch):
            batch = self.inputs.training_batch(self._indices[part].tolist(), randomness)
            labels = self._labels[part.to(self._labels.device)]
            loss = self._batch_loss(batch, labels, self._mix(len(losses), len(part)))
            losses.append(_differentiated(loss / len(places)))
        if self._rehearsal is not None:
            size, micro_batch = len(places), self.run.micro_batch
            for loss in self._rehearsal.losses(self.backbone, self.step, size, micro_batch):
                losses.append(_differentiated(loss / size))
        self.optimizer.step()
        if self._pull is not None:
            losses.append(self._pull.value())
            self._pull.after_step(self.optimizer.groups)
        return torch.stack(losses).sum()

    def _mix(self, place: int, size: int) -> Mix | None:
        """Return how the step's micro-batch of this place is mixed, if it is."""
        if self._rules.mixup is None:
            return None
        return drawn(self._rules.mixup, self.run.seed, self.step, place, size)

    def _batch_loss(self, batch: Tensor, labels: Tensor, mix: Mix | None) -> Tensor:
        """Return what a micro-batch adds to the loss, summed over its images."""
        start = self.inputs.boundary
        if mix is not None:
            with self.compute.autocast():
                batch = self.backbone.forward_blocks(batch, start=start, stop=self._mixed_at)
            batch, start = mix.inputs(batch), self._mixed_at
        logits, of_source = self._logits(batch, start, self._distillation is not None)
        loss = (
            self._loss(logits, labels)
            if mix is None
            else mix.loss(lambda of: self._loss(logits, of), labels)
        )
        if self._distillation is not None and of_source is not None:
            loss = loss + self._distillation.loss(batch, start, of_source)
        return loss

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the sum of the images' cross-entropies, weighted if that is how to balance."""
        smoothing = self._rules.label_smoothing
        losses = nn.functional.cross_entropy(
            logits, labels, reduction="none", label_smoothing=smoothing
        )
        if self.run.class_balance == "weights":
            losses = losses * self._weights[labels]
        return losses.sum()

    def _logits(
        self, batch: Tensor, start: int, source: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Return the head's logits of what block `start` takes, the original head's if `source`."""
        with self.compute.autocast():
            final = self.backbone.forward_blocks(batch, start=start)
            logits: Tensor = self.head(self.backbone.pool(final))
            return logits, self.backbone.source_logits(final) if source else None

    def _enter_stage(self, stage: int) -> None:
        """Freeze, unfreeze and start a new optimiser: an old one could move what is now frozen."""
        self.stage = stage
        parameters = self.run.strategy.parameters
        groups = apply_stage(self.backbone, self.head, self.stages[stage], parameters)
        fused = self.compute.device in ("cpu", "cuda")
        self.optimizer = Stepper(groups, self.optimizer_name, self.run.weight_decay, fused)

    def predict(self, part: Part) -> Prediction:
        """Return what the model as it is now says of a part, in eval mode."""
        return self._predict(part, 0)[0]

    def _predict(self, part: Part, watched: int) -> tuple[Prediction, Tensor]:
        """Return the prediction, and the original head's logits of the first `watched` images."""
        self.backbone.eval()
        self.head.eval()
        logits: list[Tensor] = []
        source: list[Tensor] = []
        seen = 0
        with torch.no_grad():
            for batch, kept in self.inputs.evaluation_batches(part.indices):
                found, of_source = self._logits(batch, self.inputs.boundary, seen < watched)
                logits.append(found[:kept].cpu())
                if of_source is not None:
                    source.append(of_source[: min(kept, watched - seen)].float().cpu())
                seen += kept
        return prediction(torch.cat(logits), part), torch.cat(source or [torch.empty(0)])

    def predict_features(self, part: Part, features: NDArray[np.float32]) -> Prediction:
        """Return what the head as it is now makes of the part's pooled features, N x D."""
        return prediction(self.head_logits(features), part)

    def head_logits(self, features: NDArray[np.float32]) -> Tensor:
        """Return the logits that the head as it is now gives to pooled features, N x D."""
        self.head.eval()
        with torch.no_grad():
            logits: Tensor = self.head(torch.from_numpy(features).to(self.compute.device)).cpu()
        return logits

    def _evaluate(self, train_loss: float | None) -> EpochEnded:
        watched = self.source.validation_images if self.source else 0
        validation, of_source = self._predict(self.validation, watched)
        source_accuracy, agreement = (
            self.source.look(self.backbone, of_source) if self.source else (None, None)
        )
        return EpochEnded(
            run_id=self.run_id,
            step=self.step,
            epoch=self.step / self.steps_per_epoch,
            train_loss=None if train_loss is None else _finite(train_loss),
            validation_loss=_finite(validation.loss),
            validation_accuracy=validation.accuracy,
            source_accuracy=source_accuracy,
            agreement=agreement,
            seconds=self.seconds,
        )

    def state(self) -> dict[str, Any]:
        """Return everything needed to continue, as tensors and plain values."""
        return {
            "backbone": self.backbone.net.state_dict(),
            "head": self.head.state_dict(),
            "optimizer": self.optimizer.state(),
            "stage": self.stage,
            "chosen": self.chosen,
            "step": self.step,
            "seconds": self.seconds,
            "random": torch.get_rng_state(),
            "cuda_random": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "history": [_plain(event) for event in self.history],
            "stopping": self._stopping.state() if self._stopping is not None else None,
        }

    def _resume(self, state: dict[str, Any]) -> None:
        """Restore weights, the freeze state of the stage, and only then the optimiser."""
        self.backbone.net.load_state_dict(state["backbone"])
        self.head.load_state_dict(state["head"])
        self._enter_stage(state["stage"])
        self.optimizer.load(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]
        torch.set_rng_state(state["random"].cpu())
        if state["cuda_random"]:
            torch.cuda.set_rng_state_all([part.cpu() for part in state["cuda_random"]])
        self.history = [EpochEnded(**event) for event in state["history"]]
        if self._stopping is not None:
            self._stopping.resume(state["stopping"])


def _differentiated(loss: Tensor) -> Tensor:
    """Add a part of the loss to the gradients; return its value."""
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach()


def prediction(logits: Tensor, part: Part) -> Prediction:
    """Return logits (N x C, of a part's images) as a prediction."""
    labels = torch.tensor(part.labels)
    return Prediction(
        logits.double().softmax(dim=1).numpy(),
        float(nn.functional.cross_entropy(logits, labels)),
        float((logits.argmax(dim=1) == labels).double().mean()),
    )


def _finite(value: float) -> float:
    """Keep a diverged loss JSON-able."""
    return value if math.isfinite(value) else 1e9


def _plain(event: EpochEnded) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}
