"""Lessons on reading a result: what accuracy hides, and what else decides it."""

from tl_core.lessons.lesson import Lesson
from tl_core.pitfalls import Preset

READY = (
    Lesson(
        name="imbalance",
        title="Rare classes",
        icon=":material/balance:",
        minutes=20,
        question="Does it help to let rare classes count more?",
        setting="Brushed metal: two thirds of the surfaces are sound, the rest have one of four "
        "faults.",
        predict="Images of rare classes are weighed more in training. What happens to balanced "
        "accuracy, in which every class counts the same?",
        options=(
            "It falls by 3 points or more",
            "It stays within 3 points",
            "It rises by 3 to 10 points",
            "It rises by 10 points or more",
        ),
        bounds=(-3.0, 3.0, 10.0),
        unit="points",
        sample="defects",
        experiment=(
            Preset(("feature_extraction",)),
            Preset(("feature_extraction",), class_balance="weights"),
        ),
        runs="Feature extraction twice: with all images alike, and with rare classes weighed more.",
        look="Accuracy beside balanced accuracy in both tables; always answering with the largest "
        "class would have a high accuracy and find no fault.",
        more="Here weighing found more of the rare classes. See what plain accuracy paid for it: "
        "it counts the common class most.",
        less="Here weighing did harm even to balanced accuracy: a few images were made to shout.",
        tied="Here no effect on balanced accuracy could be measured.",
        card="label_shift",
    ),
    Lesson(
        name="leakage",
        title="Copies in the test",
        icon=":material/content_copy:",
        minutes=20,
        question="Has the model seen the test before?",
        setting="Leaves of five trees; some were photographed twice, once for each part.",
        predict="How much better will it do on test images that repeat a training image?",
        options=("Under 5 points", "5 to 15 points", "15 to 40 points", "40 points or more"),
        bounds=(5.0, 15.0, 40.0),
        unit="points",
        sample="leak",
        experiment=(),
        runs="The pitfall card does it: the data check looks for copies, and feature extraction "
        "shows what they do.",
        look="The number of copies on the data page; drop them there with one click and compare "
        "again: how much of the accuracy was memory?",
        more="Here copies made the accuracy look better than it will be on new images.",
        less="Here the repeated images were the harder ones.",
        tied="Here no difference between repeated and new images could be measured.",
        card="duplicates",
    ),
    Lesson(
        name="learning_rate",
        title="The learning rate",
        icon=":material/tune:",
        minutes=15,
        question="How much depends on one number that nobody talks about?",
        setting="Road signs, by the shape of their boards.",
        predict="Full fine-tuning for 60 steps at three learning rates, 0.0003, 0.003 and 0.03: "
        "how far apart will the best and the worst be?",
        options=("Under 5 points", "5 to 20 points", "20 to 50 points", "50 points or more"),
        bounds=(5.0, 20.0, 50.0),
        unit="points",
        sample="signs",
        experiment=tuple(Preset(("full_fine_tuning",), 60, rate) for rate in (0.0003, 0.003, 0.03)),
        runs="The same 60 steps three times, at three learning rates.",
        look="The curves: is any of them still rising at its end, does any of them jump?",
        more="Here one setting decided more than most choices of a strategy would. A strategy with "
        "a badly chosen rate proves nothing about the strategy.",
        less="Here the order of the settings was turned round.",
        tied="Here no difference between the rates could be measured.",
        card="sensitivity",
    ),
    Lesson(
        name="calibration",
        title="Sure, or right?",
        icon=":material/campaign:",
        minutes=15,
        question="It says it is 95% sure. How often is it right?",
        setting="Leaves of five trees that look alike, 120 of them to train on.",
        predict="Everything is trained. How will its stated confidence on new images compare with "
        "how often it is right?",
        options=(
            "Less sure than right, by 3 points or more",
            "As sure as right, within 3 points",
            "Too sure, by 3 to 20 points",
            "Too sure, by 20 points or more",
        ),
        bounds=(-3.0, 3.0, 20.0),
        unit="points",
        sample="leak",
        experiment=(Preset(("full_fine_tuning",)),),
        runs="Full fine-tuning once; its confidence on test images is held against the answers.",
        look="The page “Can I trust it?” of this comparison: the calibration chart, and what "
        "temperature scaling from validation images mends.",
        more="Here the model promised more than it kept. Do not read stated confidence as a "
        "probability before it has been checked on held-out images.",
        less="Here the model was too modest: it was right more often than it said.",
        tied="Here stated confidence and accuracy agree as far as these images can tell.",
        card="overconfidence",
    ),
)
