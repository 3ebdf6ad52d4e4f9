"""Terms of models, training, measuring and data."""

from typing import Final

from tl_core.glossary.term import Term

GENERAL: Final = (
    # Models and their parts.
    Term(
        "pretrained model",
        "A network that has already learnt another task, its source task, from many images.",
        ("source task", "backbone", "transfer learning"),
    ),
    Term(
        "transfer learning",
        "Reusing what a model learnt on one task for another one that has fewer images.",
        ("pretrained model", "strategy", "negative transfer"),
    ),
    Term(
        "source task",
        "What a pretrained model was trained for before it came to you.",
        ("pretrained model", "forgetting"),
    ),
    Term(
        "strategy",
        "A way of reusing a pretrained model: which parts are trained on your images, and how.",
        ("zero-shot transfer", "feature extraction", "full fine-tuning", "training from scratch"),
    ),
    Term(
        "backbone",
        "All of a network but its last layer: it turns an image into a list of numbers, its "
        "features.",
        ("head", "features", "block"),
    ),
    Term(
        "head",
        "The last layer, which turns features into an answer. Your classes always need a new one.",
        ("backbone", "linear probe"),
    ),
    Term(
        "features",
        "The numbers by which a backbone describes an image.",
        ("backbone", "linear probe"),
    ),
    Term(
        "block",
        "A group of layers that are frozen or trained together, counted from the image to the "
        "answer.",
        ("backbone", "frozen"),
    ),
    Term(
        "frozen",
        "Kept exactly as it was: neither weights nor statistics of a frozen part change in "
        "training.",
        ("block", "feature extraction", "forgetting"),
    ),
    Term(
        "parameter",
        "One of the numbers that make up a network. Training changes those that are not frozen.",
        ("frozen",),
    ),
    Term(
        "weights",
        "All parameters of a trained network, kept in a file.",
        ("parameter", "pretrained model"),
    ),
    Term(
        "class map",
        "Which of the source model's classes stand for each of yours. Zero-shot transfer needs it.",
        ("zero-shot transfer",),
    ),
    # Strategies.
    Term(
        "zero-shot transfer",
        "The source model as it is: its classes are mapped to yours, and no label of yours is "
        "used.",
        ("class map", "strategy"),
    ),
    Term(
        "feature extraction",
        "The backbone stays frozen and only a new linear head is fitted on its features.",
        ("linear probe", "frozen", "strategy"),
    ),
    Term(
        "linear probe",
        "A linear head fitted on frozen features, here solved to the end: the baseline that any "
        "fine-tuning has to beat.",
        ("feature extraction", "features"),
    ),
    Term(
        "partial fine-tuning",
        "The last blocks and a new head are trained, all blocks before them stay frozen.",
        ("full fine-tuning", "frozen", "strategy"),
    ),
    Term(
        "full fine-tuning",
        "Everything is trained, the pretrained part more slowly than the new head.",
        ("partial fine-tuning", "learning rate", "forgetting"),
    ),
    Term(
        "training from scratch",
        "The same network trained from random weights: it shows what pretraining is worth.",
        ("negative transfer", "strategy"),
    ),
    Term(
        "my layers",
        "A strategy of your own: the blocks that you froze in the layer table.",
        ("block", "frozen"),
    ),
    # Training.
    Term(
        "stage",
        "A phase of training with its own frozen parts and rates. Some strategies have several.",
        ("strategy", "learning rate"),
    ),
    Term(
        "step",
        "One update of the weights, after a look at a batch of 32 images.",
        ("epoch", "budget", "batch"),
    ),
    Term("batch", "The images that are looked at together before the weights move.", ("step",)),
    Term("epoch", "One pass through all training images.", ("step",)),
    Term(
        "learning rate",
        "How far the weights move in one step. Too low learns little, too high forgets or breaks "
        "what was there.",
        ("step", "trial"),
    ),
    Term(
        "trial",
        "A short training that tries one learning rate, judged on validation images.",
        ("learning rate", "validation part"),
    ),
    Term(
        "budget",
        "How many steps, and how many trials, every strategy is given: the same for all.",
        ("step", "trial"),
    ),
    Term(
        "seed",
        "The start of all random choices. Several seeds repeat everything with other starts and "
        "show how much luck there is.",
        ("run", "interval"),
    ),
    Term("run", "One training of one strategy with one seed.", ("seed", "strategy")),
    Term(
        "augmentation",
        "Random cuts and mirrorings of training images, so that no picture is seen twice alike.",
        ("step",),
    ),
    Term(
        "GFLOPs",
        "Billions of floating-point operations: how much computing something takes, whatever the "
        "machine.",
        ("step",),
    ),
    # Data.
    Term(
        "training part",
        "The images a strategy learns from.",
        ("validation part", "test part"),
    ),
    Term(
        "validation part",
        "Labelled images kept out of training, on which settings are chosen. Never the result.",
        ("training part", "test part"),
    ),
    Term(
        "test part",
        "Labelled images on which nothing was trained and nothing chosen. The result is measured "
        "here.",
        ("validation part", "leakage"),
    ),
    Term("label", "The class that an image is said to belong to.", ("label shift",)),
    Term(
        "leakage",
        "Test images that are also in the training part, or nearly so: every accuracy looks "
        "better than it is.",
        ("test part",),
    ),
    Term(
        "label shift",
        "Classes are more or less frequent where the model is used than where it was trained.",
        ("balanced accuracy",),
    ),
    Term(
        "class imbalance",
        "Some classes have many more images than others, so a model may ignore the rare ones.",
        ("balanced accuracy", "label shift"),
    ),
    Term(
        "domain distance",
        "How far your images lie from the source images in the model's features.",
        ("source task", "features"),
    ),
    # Results.
    Term(
        "accuracy",
        "The share of images that are classified correctly.",
        ("balanced accuracy", "interval", "majority class"),
    ),
    Term(
        "balanced accuracy",
        "Accuracy in which every class counts the same, however many images it has.",
        ("accuracy", "class imbalance"),
    ),
    Term(
        "majority class",
        "The most frequent class. Always answering with it is the floor that every model has to "
        "beat.",
        ("accuracy",),
    ),
    Term(
        "interval",
        "The range in which the true value plausibly lies: made so that it holds it in 95 of 100 "
        "cases.",
        ("tied", "paired", "bootstrap"),
    ),
    Term(
        "bootstrap",
        "Drawing the measured images again and again at random, to see how far a number would "
        "move.",
        ("interval",),
    ),
    Term(
        "paired",
        "Compared on the same images with the same seeds, so that hard images are hard for both.",
        ("interval", "tied"),
    ),
    Term(
        "tied",
        "No difference can be told: the interval of the paired difference contains 0, or it is "
        "smaller than one test image.",
        ("interval", "paired"),
    ),
    Term(
        "verdict",
        "The recommendation in words: among the tied the one that kept most of what it knew, then "
        "took least time.",
        ("tied", "forgetting"),
    ),
    Term(
        "generalisation gap",
        "Accuracy on training images minus accuracy on test images. A large one means learnt by "
        "heart.",
        ("overfitting",),
    ),
    Term(
        "overfitting",
        "Learning the training images by heart instead of what they have in common.",
        ("generalisation gap",),
    ),
    Term(
        "negative transfer",
        "Reusing a model does worse than training without any pretraining.",
        ("training from scratch", "transfer learning"),
    ),
    Term(
        "forgetting",
        "Accuracy on the source task before training minus after it, measured on labelled source "
        "images.",
        ("retention", "drift", "probe set"),
    ),
    Term(
        "retention",
        "What is left of the source skill after training: the other side of forgetting.",
        ("forgetting",),
    ),
    Term(
        "drift",
        "How far training changed the model's answers or features where nobody can say whether "
        "that is forgetting, because labels are missing.",
        ("forgetting", "CKA"),
    ),
    Term(
        "CKA",
        "Centred kernel alignment: how alike two sets of features are, 1 for the same up to "
        "rotation and scale.",
        ("drift", "features"),
    ),
    Term(
        "probe set",
        "A few labelled source images on which forgetting is measured.",
        ("forgetting", "source task"),
    ),
    Term(
        "calibration",
        "Whether a model is right as often as it says it is sure.",
        ("ECE", "confidence", "temperature scaling"),
    ),
    Term(
        "confidence",
        "The probability that a model states for its own answer.",
        ("calibration",),
    ),
    Term(
        "ECE",
        "Expected calibration error: the mean distance between stated confidence and accuracy.",
        ("calibration", "confidence"),
    ),
    Term(
        "temperature scaling",
        "One number, fitted on validation images, that makes a model less or more sure without "
        "changing its answers.",
        ("calibration", "validation part"),
    ),
    Term(
        "transferability score",
        "A guess, without any training, of how well a model suits your images.",
        ("features", "pretrained model"),
    ),
    Term(
        "preprocessing",
        "How an image is resized, cut and scaled before the network sees it. It belongs to the "
        "weights.",
        ("weights",),
    ),
)
