"""Answers to questions about data and models that need a model's look, but no comparison."""

from typing import Literal, TypeAlias, get_args

import msgspec

from tl_core.findings import Finding


class Answer(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="answer"
):
    """Common ground of all answers: tagged, unknown fields fail."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A piece of an answer; an unknown field fails."""


class Estimate(Part, frozen=True):
    """A value and the ends of its 95% interval, all in the same unit."""

    value: float
    low: float
    high: float

    @property
    def contains_zero(self) -> bool:
        """Whether 0 lies in the interval, ends included."""
        return self.low <= 0.0 <= self.high


class RankedScore(Part, frozen=True):
    """A score with its mean over shuffled labels, and what to mind about it on these images."""

    value: float
    shuffled: float
    cautions: tuple[str, ...]


class RankedModel(Part, frozen=True):
    """What the scores of `transferability.SCORES` say of one model, before any training.

    `scores` by name; one that these images are too few for is missing. `seconds` is what reading
    the training part took here, `milliseconds` an image's share of it.
    """

    model: str
    title: str
    scores: dict[str, RankedScore]
    seconds: float
    milliseconds: float
    megabytes: float


class Ranking(Answer, frozen=True, tag="Ranking"):
    """Local models on the training part of the first seed's split: `images` of `classes`."""

    images: int
    classes: int
    models: tuple[RankedModel, ...]


class Distance(Part, frozen=True):
    """A distance of `domain.DISTANCES` between source and target features.

    `null_low` to `null_high` hold 95% of what chance gives between parts of the source images of
    the same sizes; `p` is how often chance goes as far.
    """

    name: str
    title: str
    value: float
    null_low: float
    null_high: float
    p: float


class Soundness(Answer, frozen=True, tag="Soundness"):
    """What the data checks found, and how far the data lie from the source images.

    `mismatch` is what looks wrong with the way they are handed over, empty if nothing. `source`
    names the source images, None where there are none; then there are no distances.
    """

    images: int
    mismatch: str
    findings: tuple[Finding, ...]
    source: str | None
    source_images: int
    distances: tuple[Distance, ...]


class Variant(Part, frozen=True):
    """The same model on the same images, handed over in another way.

    All in percentage points against the images as they are meant to be, paired over images, and
    positive where the variant is worse: `target_loss` of the linear probe's test accuracy,
    `source_loss` of the original model's accuracy on its own task, `zero_shot_loss`. `familiarity`
    is the change of log sum exp of the source logits (nats) on the target images: positive where
    the model finds them more like what it was trained on. `mean`, `std`, `low` and `high` are
    those of the network's input. `noticed` says how the app's own check sees the mistake, empty
    where it does not.
    """

    name: str
    target_loss: Estimate
    source_loss: Estimate | None
    zero_shot_loss: Estimate | None
    familiarity: Estimate
    mean: float
    std: float
    low: float
    high: float
    noticed: str


class Stress(Answer, frozen=True, tag="Stress"):
    """How much every mistake of `variants.VARIANTS` costs on these data with this model.

    Accuracies (fractions) are those of the images as they are meant to be. `mismatch` is what the
    app's check finds wrong with the images as they are handed over, empty if nothing.
    """

    images: int
    source_images: int
    target_accuracy: float
    source_accuracy: float | None
    zero_shot_accuracy: float | None
    variants: tuple[Variant, ...]
    mismatch: str


class Shift(Answer, frozen=True, tag="Shift"):
    """The class balance of images without labels, estimated by BBSE (Lipton et al. 2018).

    `known` and `estimated` are shares by class, in the data set's order; `total_variation` is
    between the two, `accuracy` the linear probe's to expect there, `condition` that of the
    confusion matrix. `refused` says why there is no estimate; it is empty otherwise.
    """

    images: int
    classes: tuple[str, ...]
    known: tuple[float, ...]
    estimated: tuple[Estimate, ...] = ()
    total_variation: float | None = None
    accuracy: Estimate | None = None
    condition: float | None = None
    refused: str = ""


class RunPrediction(Part, frozen=True):
    """What a finished run's model says of images.

    `probabilities`: float32 bytes, images x classes, row after row. `heat_maps`: PNG pictures of
    where it looks for the class that it names, parallel to the images; empty if not asked for.
    """

    run_id: str
    strategy: str
    title: str
    probabilities: bytes
    heat_maps: tuple[bytes, ...] = ()


class Prediction(Answer, frozen=True, tag="Prediction"):
    """Predictions of finished runs on images that nobody has labelled.

    `images` are file names, `pictures` what the model sees of each (PNG) where heat maps were asked
    for. `worth_labelling`: images from which the first run's strategy would learn most, most first.
    """

    images: tuple[str, ...]
    classes: tuple[str, ...]
    runs: tuple[RunPrediction, ...]
    pictures: tuple[bytes, ...] = ()
    worth_labelling: tuple[int, ...] = ()


class Cloud(Part, frozen=True):
    """Features of images in a plane: their first two principal components.

    `points`: float32 bytes, images x 2, row after row. `explained`: the share of the variance that
    either component holds. `neighbours`: how often an image's nearest other one, by all features,
    is of its class (fraction).
    """

    points: bytes
    explained: tuple[float, float]
    neighbours: Estimate


class InspectedRun(Part, frozen=True):
    """What training made of a model.

    `cloud` is turned so that it lies on the cloud before. `moved`, one for each block: the length
    of the change of its weights over the length of its weights before (0: bit for bit the same).
    """

    run_id: str
    strategy: str
    title: str
    cloud: Cloud
    moved: tuple[float, ...]


class Inspection(Answer, frozen=True, tag="Inspection"):
    """Features of the test images before and after training, and how far weights moved.

    `images` are indices into the data set, `labels` their classes. For training from scratch
    `moved` counts from its own random beginning.
    """

    images: tuple[int, ...]
    labels: tuple[int, ...]
    before: Cloud
    runs: tuple[InspectedRun, ...]


class Parity(Part, frozen=True):
    """Does an exported file predict what the app predicts, on `images` test images?

    Largest differences of a class probability: `largest` from the model in float32, `largest_shown`
    from what the app computes at its own precision. `changed`: images whose class differs from the
    app's.
    """

    file: str
    images: int
    largest: float
    largest_shown: float
    changed: int


class Export(Answer, frozen=True, tag="Export"):
    """A finished run's model as files, in the data directory's cache under `entry`.

    `lacking` says why a kind of file was not written, empty if all were.
    """

    entry: str
    files: tuple[str, ...]
    parity: tuple[Parity, ...]
    lacking: str = ""


class Mixture(Part, frozen=True):
    """A model `share` of the way from a linear probe (0) to a fine-tuned one (1), and its answers.

    Predictions are classes, one an image; `learning_accuracy` (fraction) is on the source images
    that measure nothing. Both that and `source_predictions` are None without such images.
    `reestimated`: the running statistics of its normalisation are those of the training images.
    """

    share: float
    test_predictions: tuple[int, ...]
    validation_accuracy: float
    validation_loss: float
    source_predictions: tuple[int, ...] | None
    learning_accuracy: float | None
    reestimated: bool


class Interpolation(Answer, frozen=True, tag="Interpolation"):
    """Models between the linear probe of a run's split and its fine-tuned model, ends included.

    `test_labels` and `source_labels` are what predictions are held against; `set_aside` are source
    images of the same data set that measure nothing. Where none are left to choose a point by,
    `lacks_learning` says why; it is empty otherwise.
    """

    run_id: str
    strategy: str
    title: str
    seed: int
    test_labels: tuple[int, ...]
    validation_images: int
    source_labels: tuple[int, ...]
    set_aside: int
    learning_images: int
    lacks_learning: str
    points: tuple[Mixture, ...]


AnyAnswer: TypeAlias = (
    Ranking | Soundness | Stress | Shift | Prediction | Inspection | Export | Interpolation
)
Question: TypeAlias = Literal[
    "rank", "check", "stress", "shift", "predict", "inspect", "export", "interpolate"
]
QUESTIONS: tuple[Question, ...] = get_args(Question)
# Those about data and models; the others are about finished runs.
ASKED: tuple[Question, ...] = ("rank", "check", "stress", "shift")
