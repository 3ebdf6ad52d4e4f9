"""Automatic warnings about a finished comparison: each says what it means, how sure, what to do."""

from tl_core.flags import baselines, checked, data, groups, reliance, starts, training, transfer
from tl_core.flags.flag import AGAIN, STATES, Evidence, Flag, FlagRule, State, in_points, said

__all__ = [
    "AGAIN",
    "FLAGS",
    "STATES",
    "Evidence",
    "Flag",
    "FlagRule",
    "State",
    "flags",
    "in_points",
    "said",
    "summary",
]

FLAGS: dict[str, FlagRule] = {
    rule.name: rule
    for rule in (
        FlagRule(
            "negative_transfer",
            "Negative transfer",
            "A pretrained strategy is less accurate than training from scratch.",
            transfer.negative_transfer,
        ),
        FlagRule(
            "harmful_fine_tuning",
            "Harmful fine-tuning",
            "A fine-tuned strategy is less accurate than the linear probe on frozen features.",
            transfer.harmful_fine_tuning,
        ),
        FlagRule(
            "no_baseline",
            "No baseline",
            "Something that has to be beaten was not run, or is not clearly beaten.",
            baselines.no_baseline,
        ),
        FlagRule(
            "forgetting",
            "Forgetting",
            "The model has lost a good part of the task it was trained on first.",
            transfer.forgetting,
        ),
        FlagRule(
            "overfitting",
            "Overfitting",
            "The training images are classified far better than the test images.",
            training.overfitting,
        ),
        FlagRule(
            "overconfidence",
            "Overconfidence",
            "The model is surer than it is right.",
            reliance.overconfidence,
        ),
        FlagRule(
            "label_shift",
            "Other class shares in test",
            "Classes come in other shares in the test images than in the training images.",
            data.label_shift,
        ),
        FlagRule(
            "class_imbalance",
            "Accuracy flatters",
            "Frequent classes carry the accuracy; rare ones are served worse.",
            reliance.class_imbalance,
        ),
        FlagRule(
            "sensitivity",
            "Hangs on the learning rate",
            "Another learning rate gives a much worse result, or none.",
            training.sensitivity,
        ),
        FlagRule(
            "failed_starts",
            "Failed starts",
            "Trainings failed, diverged or never became better than guessing.",
            starts.failed_starts,
        ),
        FlagRule(
            "few_test_images",
            "Few test images",
            "Only large differences between strategies can be seen.",
            reliance.few_test_images,
        ),
        FlagRule(
            "source_bias",
            "A group served worse",
            "The recommended strategy is right less often on some group of images.",
            groups.source_bias,
        ),
        FlagRule(
            "data_faults",
            "Faults in the data",
            "Copies across training and test, wrong labels, blank images and the like.",
            checked.data_faults,
        ),
        FlagRule(
            "modality",
            "Another kind of image",
            "The images are of a kind that the model was not made for.",
            checked.modality,
        ),
        FlagRule(
            "input_size",
            "Image size",
            "The images have another resolution than the model's input.",
            checked.input_size,
        ),
        FlagRule(
            "preprocessing_mismatch",
            "Preprocessing",
            "The images do not reach the network as its weights expect.",
            checked.preprocessing_mismatch,
        ),
        FlagRule(
            "domain_mismatch",
            "Far from the source",
            "The images are another kind of picture than the model's source images.",
            checked.domain_mismatch,
        ),
        FlagRule(
            "licence",
            "Licence of the weights",
            "The weights may not be used commercially, or nobody says that they may.",
            data.licence,
        ),
    )
}


def flags(evidence: Evidence) -> list[Flag]:
    """Return the flags of all rules: raised, then unknown, then clear; rules in their order."""
    found = [flag for rule in FLAGS.values() for flag in rule.check(evidence)]
    return sorted(found, key=lambda flag: STATES.index(flag.state))


def summary(found: list[Flag]) -> str:
    """Return in one sentence how many checks raise a flag, and how many could not be made."""
    by_state = {state: {flag.name for flag in found if flag.state == state} for state in STATES}
    raised = by_state["raised"]
    unknown = by_state["unknown"] - raised
    total = len({flag.name for flag in found})
    verb = "raises" if len(raised) == 1 else "raise"
    text = f"{len(raised) or 'None'} of {total} checks {verb} a flag"
    if unknown:
        text += f"; {len(unknown)} could not be made"
    return f"{text}."
