"""What a model's features say against labels and images."""

from tl_core.checks.checked import Checked, Outcome
from tl_core.checks.outlying import outliers
from tl_core.checks.suspects import CONFIDENT, label_errors
from tl_core.wording import number_of, percent


def wrong_labels(checked: Checked) -> Outcome | None:
    """Find labels that the features speak against; None without features."""
    if checked.features is None:
        return None
    classes = len(checked.dataset.classes)
    doubted = label_errors(checked.features, checked.labels, classes, groups=checked.groups)
    found = [suspect for suspect in doubted if suspect.quality <= CONFIDENT]
    if not found:
        return Outcome("No label that the model's features clearly speak against.")
    share = percent(len(found) / len(checked.labels))
    return Outcome(
        f"{number_of(len(found), 'label')} ({share}) of {number_of(len(checked.labels), 'image')} "
        "that the model's features clearly speak against. The model is wrong at times itself, the "
        "more the less it knows such pictures: look at each.",
        "worth a look",
        "Correct the labels that are wrong and keep the others.",
        tuple(suspect.image for suspect in found),
        suggested=tuple(suspect.suggested for suspect in found),
    )


def unlike_others(checked: Checked) -> Outcome | None:
    """Find images that the features place far from all others; None without features."""
    if checked.features is None:
        return None
    found = outliers(checked.features, checked.labels)
    if not found:
        return Outcome("No image stands far apart from the others.")
    share = percent(len(found) / len(checked.labels))
    return Outcome(
        f"{number_of(len(found), 'image')} ({share}) unlike all others, by the model's features.",
        "worth a look",
        "Leave out what does not belong to any class, such as placeholders or screenshots.",
        tuple(outlier.image for outlier in found),
    )
