"""Lessons on what reusing a model brings, and what it costs."""

from tl_core.lessons.lesson import Lesson
from tl_core.pitfalls import Preset

READY = (
    Lesson(
        name="few_labels",
        title="Few labels",
        icon=":material/looks_one:",
        minutes=15,
        question="What is pretraining worth when each class has a handful of images?",
        setting="Road signs, by the shape of their boards: ten training images of each shape.",
        predict="A frozen pretrained backbone against the same network trained from scratch: how "
        "many points will pretraining be worth?",
        options=(
            "From scratch lies ahead by 5 points or more",
            "Within 5 points",
            "Pretraining is worth 5 to 20 points",
            "Pretraining is worth 20 points or more",
        ),
        bounds=(-5.0, 5.0, 20.0),
        unit="points",
        sample="signs",
        experiment=(Preset(("zero_shot", "feature_extraction", "from_scratch")),),
        runs="Zero-shot transfer, feature extraction, and training from scratch.",
        look="Zero-shot transfer, which saw no label at all, beside the others; the seconds that "
        "each took; the curve of training from scratch, which may still be rising at its end.",
        more="Here the pretrained features were worth more than anything that so few images could "
        "teach a new network. Before collecting labels, see how far a pretrained model gets.",
        less="Here the pretrained features were in the way: a network of its own learnt more from "
        "the same images. Look for a model whose source task is closer.",
        tied="Here no difference could be measured. Then cost decides: compare seconds and steps.",
    ),
    Lesson(
        name="negative_transfer",
        title="When reusing hurts",
        icon=":material/trending_down:",
        minutes=15,
        question="Can a pretrained model be worse than none?",
        setting="Screws with left- or right-handed threads. The source task mirrored its pictures "
        "at random.",
        predict="Training from scratch minus a frozen pretrained backbone: which sign, how large?",
        options=(
            "Pretrained lies ahead by 5 points or more",
            "Within 5 points",
            "From scratch lies ahead by 5 to 20 points",
            "From scratch lies ahead by 20 points or more",
        ),
        bounds=(-5.0, 5.0, 20.0),
        unit="points",
        sample="threads",
        experiment=(Preset(("feature_extraction", "full_fine_tuning", "from_scratch")),),
        runs="Feature extraction, full fine-tuning, and training from scratch.",
        look="Full fine-tuning between the two: can it unlearn what the source task taught? And "
        "the majority line: how far above guessing does the frozen backbone get?",
        more="Here the pretrained features had lost just what tells the classes apart, so the "
        "frozen backbone was worse than no pretraining. Nothing but a baseline from scratch shows "
        "that.",
        less="Here pretraining helped all the same: its features tell the classes apart.",
        tied="Here no harm and no gain could be measured: the interval of the difference contains "
        "0.",
        card="negative_transfer",
    ),
    Lesson(
        name="forgetting",
        title="What fine-tuning forgets",
        icon=":material/psychology_alt:",
        minutes=20,
        question="What becomes of the old skill when a model learns a new one?",
        setting="Road signs, by the shape of their boards, after a source task of drawn shapes.",
        predict="Every layer is trained at the usual learning rate. How much accuracy on its own "
        "source task will the model lose?",
        options=("Under 2 points", "2 to 10 points", "10 to 25 points", "25 points or more"),
        bounds=(2.0, 10.0, 25.0),
        unit="points",
        sample="signs",
        experiment=(Preset(("feature_extraction", "full_fine_tuning")),),
        runs="Feature extraction and full fine-tuning; the original head then reads 1,000 source "
        "images through each backbone.",
        look="The chart's toggle “Forgetting”: when is it lost? And the test accuracies: what was "
        "gained for it?",
        more="Here training overwrote part of what the model knew. Whether that matters depends on "
        "you; whether anything was gained for it stands in the sentence above.",
        less="Here the old skill even grew: training on the new images helped the source task.",
        tied="Here no loss could be measured. A gentle rate and few steps leave most of it alone.",
        source_images=True,
        card="forgetting",
    ),
    Lesson(
        name="freezing_depth",
        title="How much to freeze",
        icon=":material/layers:",
        minutes=20,
        question="Train the head alone, the last blocks, or everything?",
        setting="Brushed metal with faults, 202 training images; the model has seen drawn shapes.",
        predict="Full fine-tuning minus a frozen backbone: how much accuracy is it worth to train "
        "everything?",
        options=(
            "It costs 3 points or more",
            "Within 3 points",
            "It gains 3 to 10 points",
            "It gains 10 points or more",
        ),
        bounds=(-3.0, 3.0, 10.0),
        unit="points",
        sample="defects",
        experiment=(Preset(("feature_extraction", "partial_fine_tuning", "full_fine_tuning")),),
        runs="Feature extraction, partial and full fine-tuning: nothing, the last two blocks, and "
        "all blocks are trained.",
        look="Trained parameters and seconds in the table, beside accuracy: is partial fine-tuning "
        "on the way between the other two?",
        more="Here the features themselves had to change: the frozen ones do not hold all that "
        "tells the classes apart.",
        less="Here training everything did harm: so many weights, so few images.",
        tied="Here no gain from training more could be measured. Then freeze: it is cheaper and "
        "forgets nothing.",
    ),
)
