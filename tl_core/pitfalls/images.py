"""What goes wrong with the images: how they are handed over, collected and divided."""

from tl_core.pitfalls.card import Asked, Pitfall, Preset

CARDS = (
    Pitfall(
        name="preprocessing",
        title="Preprocessing mismatch",
        icon=":material/settings_input_component:",
        question="What does one wrong line before the model cost?",
        setting="Road signs, by the shape of their boards.",
        predict="Somebody forgot to divide pixel values by 255. How much accuracy will that cost?",
        options=("Under 2 points", "2 to 20 points", "20 to 60 points", "60 points or more"),
        bounds=(2.0, 20.0, 60.0),
        unit="points",
        sample="signs",
        experiment=(
            Asked(
                "stress",
                {
                    "variants": [
                        "range_255",
                        "not_normalised",
                        "other_normalisation",
                        "bgr",
                        "nearest",
                    ]
                },
            ),
        ),
        runs="The same test images, handed over in five wrong ways; nothing is trained.",
        here="Normalisation layers inside the network do not make up for it: their statistics "
        "belong to the right values.",
        what="Weights only work with the scale, colours and size they were trained with. Nothing "
        "crashes when these are wrong: the model just gets worse, sometimes by a little.",
        recognise="Good here, bad after export. Check the range of values that reach the network, "
        "and the order of colours.",
        remedy="Keep preprocessing together with the weights, and compare a few predictions after "
        "every move. The model page checks your images and tries every mistake on them.",
        page="model",
    ),
    Pitfall(
        name="modality",
        title="Input size and modality",
        icon=":material/photo_size_select_small:",
        question="Small, grey or stretched: does the model mind?",
        setting="Road signs, by the shape of their boards.",
        predict="A camera delivers a quarter of the resolution, and pictures are enlarged to what "
        "the model expects. How much accuracy will that cost?",
        options=("Under 2 points", "2 to 10 points", "10 to 30 points", "30 points or more"),
        bounds=(2.0, 10.0, 30.0),
        unit="points",
        sample="signs",
        experiment=(
            Asked(
                "stress",
                {"variants": ["upscaled", "greyscale", "constant_channel", "stretched"]},
            ),
        ),
        runs="The same test images: enlarged from a quarter of the size, grey, without blue, and "
        "stretched. Nothing is trained.",
        here="Corners and pictograms, which tell these signs apart, are a few pixels wide.",
        what="A model expects the size, colours and shape of its source images. Enlarging brings "
        "no detail back, and a grey scan in three equal channels is another kind of picture.",
        recognise="Look at what reaches the network, at its own size. If you cannot tell the "
        "classes there, no head can.",
        remedy="Crop instead of shrinking, choose a model with a suitable input, and try on a few "
        "images before you buy the camera.",
        page="model",
    ),
    Pitfall(
        name="label_shift",
        title="Label shift",
        icon=":material/equalizer:",
        question="Does accuracy hold where classes are otherwise mixed?",
        setting="Brushed metal: two thirds of the tested surfaces are sound, the rest show one of "
        "four faults.",
        predict="What if all classes came equally often: what would become of the same model's "
        "accuracy?",
        options=(
            "It would rise by 5 points or more",
            "It would stay within 5 points",
            "It would fall by 5 to 20 points",
            "It would fall by 20 points or more",
        ),
        bounds=(-5.0, 5.0, 20.0),
        unit="points",
        sample="defects",
        experiment=(Preset(("feature_extraction",)),),
        runs="Feature extraction once; other mixtures follow from its accuracy on each class.",
        here="In training most surfaces are sound too, and the fault that is rarest there is the "
        "commonest in the test part.",
        what="Accuracy is an average over the classes as they came in the test part. Where the "
        "mixture is another one, so is the accuracy, though the model is the same.",
        recognise="Accuracy and balanced accuracy differ; some class is hardly ever found. Always "
        "answering with the largest class would score well too.",
        remedy="Report accuracy class by class. Test on the mixture you will meet: the data page "
        "estimates it from unlabelled images. Make up for rare classes in training.",
        page="data",
        view="balance",
    ),
    Pitfall(
        name="duplicates",
        title="Duplicates across parts",
        icon=":material/content_copy:",
        question="Has the model seen the test before?",
        setting="Some leaves were photographed twice, once for training and once for the test.",
        predict="How much better will the model be on test images that repeat a training image "
        "than on the others?",
        options=("Under 5 points", "5 to 15 points", "15 to 40 points", "40 points or more"),
        bounds=(5.0, 15.0, 40.0),
        unit="points",
        sample="leak",
        experiment=(Asked("check"), Preset(("feature_extraction",))),
        runs="The data check looks for copies across parts; feature extraction shows what they do.",
        here="The second photograph has another cut, light and noise: no copy byte for byte.",
        what="A test image that repeats a training image asks what was learnt by heart. It makes "
        "every accuracy look better than it will be on new images.",
        recognise="Compare all images with each other, resized and re-encoded ones too; bursts of "
        "the same scene are the usual cause. Accuracy alone cannot tell.",
        remedy="Keep pictures of one thing in one part, or drop the copies; the data page does "
        "both. Then compare again.",
        page="data",
    ),
)
