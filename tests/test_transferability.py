"""Transferability scores: formulas against reference values, what must hold, what is refused."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from tl_core.transferability import ONE_BACKBONE, SCORES, agreement_with, shuffled

NAMES = ("logme", "leep", "nce", "h_score", "transrate", "gbc", "n_leep", "parc", "knn")
CASES = ("A", "B")


def arrays(inputs, case):
    return (inputs[f"{case}_{name}"].copy() for name in ("features", "labels", "source_probs"))


def drawn(images=80, width=12, classes=3, seed=0):
    """Features whose classes overlap a little, labels, and source probabilities that know them."""
    rng = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    features = 1.5 * rng.normal(size=(classes, width))[labels] + rng.normal(size=(images, width))
    logits = 2.0 * np.eye(classes, 6)[labels] + rng.normal(size=(images, 6))
    source = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return features, labels, source


# --- reference values


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("name", "key", "options"),
    [
        ("logme", "logme/{}/true_max_evidence", {}),
        ("leep", "leep/{}", {}),
        ("nce", "nce/{}", {}),
        ("h_score", "hscore/{}/shrinkage_ref", {}),
        ("transrate", "transrate/{}/class_weighted_formula", {}),
        ("parc", "parc/{}/no_pca_ties_fixed", {"pca": None}),
        ("gbc", "gbc/{}/diagonal_pca16", {"pca": 16}),
        ("gbc", "gbc/{}/spherical_pca16", {"pca": 16, "covariance": "spherical"}),
    ],
)
def test_golden(golden, golden_inputs, case, name, key, options):
    found = SCORES[name](*arrays(golden_inputs, case), **options)
    assert type(found) is float
    assert found == pytest.approx(golden[key.format(case)]["value"], rel=1e-7)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("logme", "logme/{}/true_max_shuffled_labels"),
        ("h_score", "hscore/{}/shrinkage_ref_shuffled"),
    ],
)
def test_golden_on_permuted_labels(golden, golden_inputs, case, name, key):
    features, labels, _ = arrays(golden_inputs, case)
    found = SCORES[name](features, np.random.default_rng(1).permutation(labels))
    assert found == pytest.approx(golden[key.format(case)]["value"], rel=1e-6)


def test_golden_leep_without_an_unused_source_class(golden, golden_inputs):
    features, labels, source = arrays(golden_inputs, "A")
    source[:, 7] = 0
    found = SCORES["leep"](features, labels, source / source.sum(axis=1, keepdims=True))
    expected = golden["leep/A_zero_mass_source_class/correct"]
    assert found == pytest.approx(expected["value"], rel=expected["rtol"])


def test_golden_logme_falls_with_noise_columns(golden, golden_inputs):
    features, labels, _ = arrays(golden_inputs, "B")
    noise = np.random.default_rng(9).normal(size=(60, 400))
    found = SCORES["logme"](np.hstack([features, noise]), labels)
    expected = golden["logme/B_plus_400_noise_dims/true_max_evidence"]["value"]
    assert found == pytest.approx(expected, rel=1e-6)
    assert found < SCORES["logme"](features, labels)


def test_golden_logme_depends_on_shift_not_scale(golden, golden_inputs):
    features, labels, _ = arrays(golden_inputs, "A")
    ones = np.hstack([features, np.ones((200, 1))])
    for changed, key in (
        (features * 10, "true_max_features_x10"),
        (features - features.mean(axis=0), "true_max_centred_features"),
        (ones, "true_max_with_ones_column"),
    ):
        expected = golden[f"logme/A/{key}"]["value"]
        assert SCORES["logme"](changed, labels) == pytest.approx(expected, rel=1e-6)


def test_golden_plain_h_score_only_with_enough_images(golden, golden_inputs):
    features, labels, _ = arrays(golden_inputs, "A")
    found = SCORES["h_score"](features, labels, shrinkage=False)
    assert found == pytest.approx(golden["hscore/A/plain_exact"]["value"], rel=1e-8)
    features, labels, _ = arrays(golden_inputs, "B")
    with pytest.raises(ValueError, match="for any labels of 60 images"):
        SCORES["h_score"](features, labels, shrinkage=False)


def test_n_leep_orders_the_golden_cases(golden, golden_inputs):
    found = {case: SCORES["n_leep"](*arrays(golden_inputs, case)) for case in CASES}
    assert golden["nleep/A"]["value"] > golden["nleep/B"]["value"]
    assert 0 >= found["A"] > found["B"]


# --- what must hold


def test_names_are_fixed():
    assert tuple(SCORES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_score_prefers_real_labels(name):
    features, labels, source = drawn()
    real = SCORES[name](features, labels, source)
    assert type(real) is float
    assert real > shuffled(name, features, labels, source) + 1e-3


@pytest.mark.parametrize("name", [name for name in NAMES if name != "n_leep"])
def test_scores_ignore_order_names_and_precision(name):
    """But for N-LEEP, whose mixture starts from images drawn by position."""
    features, labels, source = (np.round(array, 3) for array in drawn(classes=2))
    order = np.random.default_rng(4).permutation(len(labels))
    names = np.array(["wasp", "ant"])[labels[order].astype(int)]
    source /= source.sum(axis=1, keepdims=True)
    single = features[order].astype(np.float32), names, source[order].astype(np.float32)
    found = SCORES[name](*single)
    assert found == pytest.approx(SCORES[name](features, labels, source), rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_measure_gives_value_shuffled_and_caveats(name):
    features, labels, source = drawn()
    found = SCORES[name].measure(features, labels, source, seed=3, repeats=4)
    assert found.value == SCORES[name](features, labels, source)
    assert found.shuffled == shuffled(name, features, labels, source, seed=3, repeats=4)
    assert found.shuffled != shuffled(name, features, labels, source, seed=4, repeats=4)
    assert found.cautions[-1] == SCORES[name].caveat


def test_what_is_shown_and_what_needs_the_source():
    assert {name for name, score in SCORES.items() if score.on_screen} == {"knn", "logme", "leep"}
    needing = {name for name, score in SCORES.items() if score.needs_source_probabilities}
    assert needing == {"leep", "nce"}
    assert all(score.higher_is_better for score in SCORES.values())
    assert len({score.title for score in SCORES.values()}) == len(SCORES)
    assert "strategy" in ONE_BACKBONE


@pytest.mark.parametrize(("images", "width"), [(30, 8), (12, 40)])
def test_logme_is_the_largest_marginal_likelihood(images, width):
    """Against a two-dimensional search over the Gaussian's own density."""
    features, labels, _ = drawn(images, width)

    def log_density(logs, target):
        covariance = features @ features.T / np.exp(logs[0]) + np.eye(images) / np.exp(logs[1])
        return multivariate_normal(np.zeros(images), covariance, allow_singular=True).logpdf(target)

    best = [
        max(
            -minimize(
                lambda logs, y=y: -log_density(logs, y), start, method="Nelder-Mead", tol=1e-9
            ).fun
            for start in ([0.0, 0.0], [3.0, 3.0])
        )
        for y in np.eye(3)[labels].T
    ]
    assert SCORES["logme"](features, labels) == pytest.approx(np.mean(best) / images, abs=1e-5)


def test_logme_is_finite_where_features_fit_labels_exactly():
    labels = np.repeat(np.arange(3), 20)
    exact = np.hstack([np.eye(3)[labels], np.zeros((60, 2))])
    assert 5 < SCORES["logme"](exact, labels) < 50
    assert 5 < SCORES["logme"](np.hstack([exact, np.zeros((60, 100))]), labels) < 50


def test_leep_and_nce_between_knowing_and_guessing():
    features, labels, _ = drawn(90, classes=3)
    labels = np.minimum(labels, 1)
    entropy = -sum(share * np.log(share) for share in (1 / 3, 2 / 3))
    for name in ("leep", "nce"):
        assert SCORES[name](features, labels, np.eye(4)[labels]) == pytest.approx(0, abs=1e-12)
        uniform = np.full((90, 4), 0.25)
        assert SCORES[name](features, labels, uniform) == pytest.approx(-entropy)


def test_shrinkage_h_score_tells_labels_from_chance_where_plain_cannot():
    features, labels, _ = drawn(40, 39)
    assert SCORES["h_score"](features, labels) > shuffled("h_score", features, labels) + 0.1
    with pytest.raises(ValueError, match="shrinkage form"):
        SCORES["h_score"](features, labels, shrinkage=False)


def test_plain_h_score_is_bounded_and_leaves_out_constant_features():
    features, labels, _ = drawn(80, 12, 3)
    found = SCORES["h_score"](features, labels, shrinkage=False)
    assert 0 < found <= 2
    padded = np.hstack([features, np.full((80, 3), 7.0)])
    assert SCORES["h_score"](padded, labels, shrinkage=False) == pytest.approx(found)


def test_transrate_weights_classes_by_size_and_grows_with_scale():
    features, labels, _ = drawn()
    found = SCORES["transrate"](features, labels)
    assert 0 < found < SCORES["transrate"](10 * features, labels)
    assert SCORES["transrate"](features + 5, labels) == pytest.approx(found)


def test_gbc_lies_between_one_heap_and_far_apart():
    features, labels, _ = drawn(90, 4, 3)
    far = features + 1000 * labels[:, None]
    assert SCORES["gbc"](far, labels) == 0.0
    one_heap = np.tile(features[:30], (3, 1))
    assert SCORES["gbc"](one_heap, np.repeat(np.arange(3), 30)) == pytest.approx(-6)
    assert -6 < SCORES["gbc"](features, labels) < 0


def test_parc_is_unmoved_by_scale_and_survives_images_without_features():
    features, labels, _ = drawn()
    assert SCORES["parc"](3 * features, labels) == pytest.approx(SCORES["parc"](features, labels))
    features[:2] = features.mean(axis=0)
    assert -100 <= SCORES["parc"](features, labels) <= 100


def test_nearest_neighbour_is_another_image():
    features = np.array([[0.0], [0.1], [5.0], [5.1], [5.1]])
    assert SCORES["knn"](features, [0, 0, 1, 1, 1]) == 1.0
    assert SCORES["knn"](features, [0, 1, 0, 1, 1]) == pytest.approx(2 / 5)


# --- what misleads on the data at hand


def cautions(name, features, labels, source=None):
    return " ".join(SCORES[name].measure(features, labels, source, repeats=1).cautions[:-1])


def test_cautions_are_given_where_they_apply():
    features, labels, source = drawn(600, 20)
    for name in NAMES:
        assert cautions(name, features, labels, source) == ""
    features, labels, source = drawn(36, 300)
    many = np.hstack([source, np.zeros((36, 100))])
    assert "106 source classes and only 36 images" in cautions("leep", features, labels, many)
    assert "36 images for 300 features" in cautions("h_score", features, labels)
    assert "no classes overlap" in cautions("gbc", features, labels)
    assert "images a cluster" in cautions("n_leep", features, labels)
    assert "smallest class has 1" in cautions("knn", features, [0] * 35 + [1])
    features[0] = features[1]
    assert "1 images repeat" in cautions("knn", features, labels)


# --- what is refused


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"features": np.ones((80, 3, 3))}, "images x dimensions"),
        ({"features": np.ones((80, 3))}, "same features"),
        ({"features": np.r_[np.full((1, 3), np.nan), np.eye(79, 3)]}, "1 of 80 images"),
        ({"labels": np.zeros(79)}, "one label for each image"),
        ({"labels": np.zeros(80)}, "two classes"),
        ({"source_probabilities": np.ones((80, 6))}, "softmax"),
        ({"source_probabilities": np.full((80, 2), np.nan)}, "softmax"),
        ({"source_probabilities": np.ones((4, 6))}, "80 images x source classes"),
    ],
)
@pytest.mark.parametrize("name", ["logme", "leep"])
def test_bad_arrays_are_refused_in_words(name, change, says):
    features, labels, source = drawn()
    given = {"features": features, "labels": labels, "source_probabilities": source, **change}
    with pytest.raises(ValueError, match=says):
        SCORES[name](**given)


@pytest.mark.parametrize("name", ["leep", "nce"])
def test_missing_source_probabilities_are_named(name):
    features, labels, _ = drawn()
    with pytest.raises(ValueError, match="source model's probabilities"):
        SCORES[name](features, labels)


def test_n_leep_and_parc_refuse_too_little():
    features, labels, _ = drawn(20)
    with pytest.raises(ValueError, match="at least 30 images, there are 20"):
        SCORES["n_leep"](features, labels)
    with pytest.raises(ValueError, match="two or more"):
        SCORES["parc"](features[:, :1], labels)


# --- scores against measured accuracies


def test_agreement_orders_models():
    accuracies = {name: 0.1 * place for place, name in enumerate("abcdef")}
    assert agreement_with(accuracies, accuracies) == pytest.approx(1)
    turned = {name: -value for name, value in accuracies.items()}
    assert agreement_with(turned, accuracies) == pytest.approx(-1)
    # A swap among the best costs more than one among the worst.
    best = {**accuracies, "e": 0.5, "f": 0.4}
    worst = {**accuracies, "a": 0.1, "b": 0.0}
    assert agreement_with(best, accuracies) < agreement_with(worst, accuracies) < 1


def test_agreement_needs_five_models_in_both_that_differ():
    scores = dict(zip("abcde", range(5), strict=True))
    assert agreement_with(scores, scores) is not None
    assert agreement_with(scores, {**scores, "e": float("nan")}) is None
    assert agreement_with(scores, {name: scores[name] for name in "abcd"}) is None
    assert agreement_with(dict.fromkeys("abcde", 1.0), scores) is None
    assert agreement_with({}, {}) is None


def test_the_registry_is_read_without_scikit_learn():
    """The web process names and explains scores; fits are for whoever computes them."""
    code = "import sys, tl_core.transferability; assert 'sklearn' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-300:]
