import numpy as np
import pytest

from tl_core.forgetting import agreement, linear_cka, per_epoch_images


@pytest.mark.parametrize("debiased", [False, True])
@pytest.mark.parametrize(("key", "name"), [("X_rot", "cka_Y_rot"), ("X_Z", "cka_Z")])
def test_golden_cka(golden, golden_inputs, key, name, debiased):
    expected = golden[f"cka/{key}/linear_{'debiased' if debiased else 'biased'}"]
    found = linear_cka(golden_inputs["cka_X"], golden_inputs[name], debiased=debiased)
    assert found == pytest.approx(expected["value"], rel=expected["rtol"])


def test_cka_ignores_rotation_and_scale_and_is_low_for_noise():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 100))
    rotation, _ = np.linalg.qr(rng.normal(size=(100, 100)))
    assert linear_cka(x, 3 * x @ rotation) == pytest.approx(1.0)
    noise = rng.normal(size=(40, 100))
    assert linear_cka(x, noise, debiased=False) > 0.5  # the trap: biased, and N < D
    assert abs(linear_cka(x, noise)) < 0.15


def test_cka_needs_four_images():
    with pytest.raises(ValueError, match="at least 4"):
        linear_cka(np.ones((3, 2)), np.ones((3, 2)))


def test_golden_forgetting_and_agreement(golden, golden_inputs):
    before, after = golden_inputs["src_logits_before"], golden_inputs["src_logits_after"]
    labels = golden_inputs["src_labels"]
    lost = np.mean(before.argmax(1) == labels) - np.mean(after.argmax(1) == labels)
    assert lost == pytest.approx(golden["forgetting/source/drop"]["value"])
    found = agreement(before, after)
    assert found == pytest.approx(golden["forgetting/source/agreement"]["value"])
    assert abs(lost) <= 1 - found


def test_agreement_bounds_forgetting_on_any_images():
    rng = np.random.default_rng(3)
    for _ in range(50):
        before, after = rng.normal(size=(2, 30, 5))
        labels = rng.integers(0, 5, 30)
        lost = np.mean(before.argmax(1) == labels) - np.mean(after.argmax(1) == labels)
        assert abs(lost) <= 1 - agreement(before, after) + 1e-12


def test_per_epoch_part_is_spread_over_classes_and_fixed():
    labels = np.repeat(np.arange(50), 20)
    part = per_epoch_images(labels)
    assert len(part) == len(set(part.tolist())) == 100
    assert np.bincount(labels[part]).min() >= 1
    assert (part == per_epoch_images(labels)).all()
    assert per_epoch_images(labels[:30]).tolist() == list(range(30))
