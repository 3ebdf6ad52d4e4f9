"""What comes along with a pretrained model, wanted or not."""

from tl_core.pitfalls.card import Asked, Pitfall, Preset

CARDS = (
    Pitfall(
        name="negative_transfer",
        title="Negative transfer",
        icon=":material/trending_down:",
        question="Can a pretrained model be worse than none?",
        setting="Screws have left- or right-handed threads, and 160 of them are labelled.",
        predict="Training from scratch against a pretrained, frozen backbone: who wins?",
        options=(
            "Pretrained wins by 5 points or more",
            "About the same",
            "From scratch wins by 5 to 20 points",
            "From scratch wins by 20 points or more",
        ),
        bounds=(-5.0, 5.0, 20.0),
        unit="points",
        sample="threads",
        experiment=(Preset(("feature_extraction", "from_scratch"), 100, 0.02),),
        runs="Feature extraction, and the same network trained from random weights for 100 steps.",
        here="In the source task pictures were mirrored at random, so left and right became the "
        "same to the model. Here they are the classes.",
        what="What a model learnt to ignore is lost to those who reuse it. Where just that "
        "distinguishes the classes, a network without any past learns it better.",
        recognise="Feature extraction lies measurably below training from scratch on the same "
        "images. Without that row you would never know.",
        remedy="Always compare with from scratch. Then train more blocks, choose a model whose "
        "source task needed what you need, or train from scratch.",
    ),
    Pitfall(
        name="forgetting",
        title="Catastrophic forgetting",
        icon=":material/psychology_alt:",
        question="What does fine-tuning cost the skill that was there?",
        setting="Road signs, by the shape of their boards.",
        predict="All layers are trained for only 40 steps, but at ten times the usual learning "
        "rate. How much accuracy on its own source task will the model lose?",
        options=("Under 2 points", "2 to 15 points", "15 to 40 points", "40 points or more"),
        bounds=(2.0, 15.0, 40.0),
        unit="points",
        sample="signs",
        experiment=(Preset(("feature_extraction", "full_fine_tuning"), 40, 0.03),),
        runs="Feature extraction and full fine-tuning; the original head then reads 1,000 source "
        "images through each backbone.",
        here="Nothing in these steps asks for the old skill: every weight that helps with signs is "
        "taken for signs.",
        what="Training on new images overwrites weights that old skills rest on. The higher the "
        "rate and the more layers are trained, the more is lost.",
        recognise="Measure the source task after training, as here. Accuracy on your own images "
        "does not show it.",
        remedy="Freeze what need not change, lower the learning rate, train fewer steps. If the "
        "old skill does not matter to you, forgetting is no fault.",
        source_images=True,
    ),
    Pitfall(
        name="domain_mismatch",
        title="Domain mismatch",
        icon=":material/compare:",
        question="Are my images what the model was trained for?",
        setting="The model has seen drawings only; these digits were written by hand.",
        predict="How far do they lie from its source images in the model's features? The measure "
        "is MMD²: 0 for pictures of one kind, and from 0.12 on counts as far.",
        options=(
            "Same kind: under 0.01",
            "Near: 0.01 to 0.12",
            "Far: 0.12 to 0.3",
            "Very far: 0.3 or more",
        ),
        bounds=(0.01, 0.12, 0.3),
        unit="MMD²",
        sample="digits",
        experiment=(Asked("check"),),
        runs="The data check: features of the images against those of the source images.",
        here="Grey strokes, enlarged from 8 × 8 pixels, against smooth drawings in colour.",
        what="Source and target images differ as pictures: another camera, style, scale or light. "
        "Features were tuned to the first kind and may describe the second badly.",
        recognise="The distance to the source images is large, as such distances go. Far apart is "
        "a warning, not a verdict: a frozen backbone may still do well.",
        remedy="Compare strategies instead of guessing; the further apart, the more deeper "
        "fine-tuning deserves a try. Rank other models: one may have seen pictures like yours.",
        page="data",
        source_images=True,
    ),
    Pitfall(
        name="source_bias",
        title="Source bias",
        icon=":material/balance:",
        question="Whom does the model serve worse before it has seen my data?",
        setting="Road signs, by the shape of their boards: shapes that the model knows from its "
        "source task.",
        predict="The source model reads the images as it is. How far will the class that it reads "
        "worst lie behind the others?",
        options=("Under 5 points", "5 to 10 points", "10 to 25 points", "25 points or more"),
        bounds=(5.0, 10.0, 25.0),
        unit="points",
        sample="signs",
        experiment=(Preset(("zero_shot", "feature_extraction")),),
        runs="Zero-shot transfer, which is the source model as it is, and feature extraction; "
        "accuracy class by class.",
        here="In the source task a shape stands by itself; on these boards there are rims, words "
        "and pictograms, which make some shapes look like others.",
        what="A pretrained model brings along what its source images had and lacked. Groups that "
        "looked otherwise there are served worse, and a good average hides it.",
        recognise="Look at accuracy group by group: by class here, by any attribute in your data. "
        "The worst group of many is low by chance too, so the interval allows for all of them.",
        remedy="Collect labelled images of the group that lags and train on them, then compare the "
        "groups again: learning may narrow the gap, or widen it.",
    ),
    Pitfall(
        name="licences",
        title="Licence limits",
        icon=":material/gavel:",
        question="May I use the result in a product?",
        setting="The catalog holds the models that people usually start from.",
        predict="How many of them have weights whose terms plainly allow commercial use?",
        options=("At most one in ten", "Up to half", "More than half, not all", "All of them"),
        bounds=(10.01, 50.01, 100.0),
        unit="%",
        sample="signs",
        experiment=(),
        runs="Nothing is computed: the terms of every model of the catalog are looked up.",
        here="The library's licence covers its code. The weights were trained on images that "
        "were collected for research.",
        what="Code and weights have separate licences. What you train from weights of unclear "
        "terms inherits the doubt.",
        recognise="Look for a licence of the weights, not of the library. None stated means "
        "unclear, not free.",
        remedy="Decide before you train. Choose weights with plain terms, or ask whoever publishes "
        "them; the model page can hide all others.",
        page="model",
        own_data=False,
        view="licences",
    ),
)
