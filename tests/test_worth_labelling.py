"""Which images to label next: unsure ones, and not the same one twice."""

import numpy as np

from tl_core.worth_labelling import worth_labelling


def test_the_least_certain_image_comes_first():
    shares = np.array([[0.9, 0.1], [0.55, 0.45], [0.7, 0.3]])
    assert worth_labelling(shares, np.eye(3), count=1) == [1]


def test_near_copies_of_one_hard_image_are_taken_once():
    hard = np.tile([[0.5, 0.5]], (10, 1))
    features = np.zeros((10, 2))
    features[:8] = [1.0, 0.0]
    features[8], features[9] = [0.0, 1.0], [-1.0, 0.0]
    assert set(worth_labelling(hard, features, count=3)) == {0, 8, 9}


def test_certain_images_are_left_out_while_there_are_others():
    rng = np.random.default_rng(0)
    first = np.concatenate([np.full(200, 0.99), np.full(30, 0.5)])
    shares = np.stack([first, 1 - first], axis=1)
    chosen = worth_labelling(shares, rng.normal(size=(230, 8)), count=5)
    assert all(image >= 200 for image in chosen)


def test_every_image_is_named_once_and_none_of_nothing():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(4), size=12)
    assert sorted(worth_labelling(shares, rng.normal(size=(12, 3)))) == list(range(12))
    assert worth_labelling(np.zeros((0, 3)), np.zeros((0, 8))) == []
    assert worth_labelling(np.ones((2, 1)), np.zeros((2, 3))) == [0, 1]
