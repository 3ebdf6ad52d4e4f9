"""What goes wrong in training, and in reading its result."""

from tl_core.pitfalls.card import Pitfall, Preset

CARDS = (
    Pitfall(
        name="overfitting",
        title="Overfitting",
        icon=":material/ssid_chart:",
        question="Learnt, or learnt by heart?",
        setting="Leaves of five trees that look alike, 120 of them to train on.",
        predict="Everything is trained for 200 steps. How far will accuracy on the training images "
        "lie above that on new ones?",
        options=("Under 5 points", "5 to 15 points", "15 to 30 points", "30 points or more"),
        bounds=(5.0, 15.0, 30.0),
        unit="points",
        sample="leak",
        experiment=(Preset(("full_fine_tuning",), 200, 0.01),),
        runs="Full fine-tuning at about three times the usual learning rate.",
        here="Some of these leaves carry a wrong label, and the network learns these as well.",
        what="With few images a large network remembers each of them "
        "instead of what they have in common.",
        recognise="Accuracy on the training images is far above that on held-out ones. Training "
        "accuracy by itself says nothing.",
        remedy="Train less: fewer blocks, fewer steps, a lower rate. Or bring more images: the gap "
        "closes from both sides.",
    ),
    Pitfall(
        name="overconfidence",
        title="Overconfident transfer",
        icon=":material/campaign:",
        question="It says it is sure. Is it right as often?",
        setting="Screws, left- or right-handed.",
        predict="The last blocks are trained. With every answer on new images the model states how "
        "sure it is: how does that compare with how often it is right?",
        options=(
            "Less sure than right, by 3 points or more",
            "As sure as right, within 3 points",
            "Too sure, by 3 to 20 points",
            "Too sure, by 20 points or more",
        ),
        bounds=(-3.0, 3.0, 20.0),
        unit="points",
        sample="threads",
        experiment=(Preset(("partial_fine_tuning",), 100, 0.03),),
        runs="Partial fine-tuning; beside it what needs no training: the largest class, and the "
        "most similar training image.",
        here="Training goes on until the few training images are fitted, and then makes their "
        "answers surer still.",
        what="Networks that fit few images closely state high confidence on new ones too. And an "
        "accuracy sounds good until it is held against guessing.",
        recognise="Mean confidence lies above accuracy on test images; accuracy lies hardly above "
        "the baselines that need no training.",
        remedy="Never report an accuracy without its baselines. Do not use stated confidence as a "
        "probability before you have checked it on held-out images.",
    ),
    Pitfall(
        name="sensitivity",
        title="Hyperparameter sensitivity",
        icon=":material/tune:",
        question="Same strategy, same images, another learning rate: same result?",
        setting="Road signs, by the shape of their boards.",
        predict="Partial fine-tuning at three learning rates: 0.0001, 0.003 and 0.1. How far apart "
        "will the best and the worst be?",
        options=("Under 5 points", "5 to 20 points", "20 to 50 points", "50 points or more"),
        bounds=(5.0, 20.0, 50.0),
        unit="points",
        sample="signs",
        experiment=tuple(
            Preset(("partial_fine_tuning",), 30, rate) for rate in (0.0001, 0.003, 0.1)
        ),
        runs="The same 30 steps three times, at three learning rates.",
        here="Rate times steps is how far weights can move: at the lowest rate, these steps "
        "leave the new head almost where it began.",
        what="What looks like a difference between strategies may be one between settings. A "
        "strategy with a badly chosen rate loses to any other.",
        recognise="Repeat with a rate ten times higher and lower. If the order of strategies "
        "changes, the comparison was one of rates.",
        remedy="Give every strategy the same number of tries, choose on validation images, report "
        "on test images: the standard budget does that.",
    ),
)
