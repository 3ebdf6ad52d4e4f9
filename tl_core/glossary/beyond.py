"""Terms of the strategies beyond the five, and of what-if questions."""

from typing import Final

from tl_core.glossary.term import Term

BEYOND: Final = (
    Term(
        "gradual unfreezing",
        "The head is trained first; then one more block after the other joins, the last one "
        "first (Howard & Ruder 2018).",
        ("frozen", "block", "stage"),
    ),
    Term(
        "discriminative rates",
        "Learning rates that fall from block to block, 2.6 times each, from the head towards the "
        "image (Howard & Ruder 2018).",
        ("learning rate", "block"),
    ),
    Term(
        "LP-FT",
        "Linear probing, then fine-tuning: training starts from the solved head, so that a random "
        "one does not pull features about (Kumar et al. 2022).",
        ("linear probe", "full fine-tuning"),
    ),
    Term(
        "norm-only tuning",
        "Only scales and shifts of normalisation layers are trained, with the head; their "
        "statistics stay (Frankle et al. 2021).",
        ("parameter", "frozen"),
    ),
    Term(
        "bias-only tuning",
        "Only the numbers that layers add are trained, with the head; those they multiply by stay.",
        ("parameter", "frozen"),
    ),
    Term(
        "surgical fine-tuning",
        "Only one block is trained, with the head: the one whose gradient is largest for its size "
        "(Lee et al. 2023).",
        ("block", "LP-FT"),
    ),
    Term(
        "L2-SP",
        "A penalty on the distance to the pretrained weights: they are pulled back to where they "
        "started (Li et al. 2018).",
        ("weight decay", "EWC"),
    ),
    Term(
        "EWC",
        "Elastic weight consolidation: weights that matter for the source task are pulled back "
        "harder than others (Kirkpatrick et al. 2017).",
        ("L2-SP", "Fisher information", "forgetting"),
    ),
    Term(
        "Fisher information",
        "How much a model's answers change with one of its weights, measured on source images.",
        ("EWC", "probe set"),
    ),
    Term(
        "LwF",
        "Learning without forgetting: on your own images the model is also trained to keep "
        "the original model's source answers (Li & Hoiem 2016).",
        ("forgetting", "source task"),
    ),
    Term(
        "rehearsal",
        "While it learns the new task, the model goes on practising the source task on some "
        "labelled source images (Robins 1995; Chaudhry et al. 2019).",
        ("forgetting", "source task"),
    ),
    Term(
        "LoRA",
        "Low-rank adaptation: each layer's weights stay, and a small update, a product of two thin "
        "matrices, is trained (Hu et al. 2021).",
        ("parameter", "frozen"),
    ),
    Term(
        "WiSE-FT",
        "Weights half-way between the model before and after fine-tuning: more of the source skill "
        "stays, nothing more is trained (Wortsman et al. 2022).",
        ("LP-FT", "forgetting"),
    ),
    Term(
        "weight decay",
        "Every weight is pulled a little towards zero at each step.",
        ("penalty", "L2-SP"),
    ),
    Term(
        "penalty",
        "A term of the loss that holds weights or answers near those of the pretrained model, or "
        "asks for the source task; its strength says how hard.",
        ("L2-SP", "EWC", "LwF", "rehearsal"),
    ),
    Term(
        "sweep",
        "One comparison, repeated with one thing varied: labels, layers, rate, steps, model.",
        ("what-if", "learning curve"),
    ),
    Term(
        "what-if",
        "One thing of a comparison changed, everything else equal, and the difference measured.",
        ("sweep", "paired"),
    ),
    Term(
        "learning curve",
        "Accuracy against the number of labelled images that a model was trained on.",
        ("sweep",),
    ),
    Term(
        "crossover",
        "The number of labels from which another strategy is ahead.",
        ("learning curve", "paired"),
    ),
    Term(
        "range test",
        "One short training whose learning rate rises until the loss explodes: it shows which "
        "rates are too large (Smith 2017).",
        ("learning rate",),
    ),
    Term(
        "Pareto front",
        "What nothing else beats in one respect without losing in another.",
        ("forgetting", "tied"),
    ),
)
