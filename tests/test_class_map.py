import pytest

from tl_core.catalog import SourceClass, source_classes
from tl_core.class_map import match_source, singulars, suggest, unmatched

SOURCE = (
    SourceClass(index=0, synset="n00000100", names=("bee",)),
    SourceClass(index=1, synset="n00000101", names=("bee eater",)),
    SourceClass(index=2, synset="n00000102", names=("crane", "wading bird")),
    SourceClass(index=3, synset="n00000103", names=("crane", "lifting device")),
    SourceClass(index=4, synset="n00000104", names=("German shepherd", "Alsatian")),
    SourceClass(index=5, synset="n00000105", names=("wolf",)),
    SourceClass(index=6, synset="n00000106", names=("bus",)),
    SourceClass(index=7, synset="n00000107", names=("sunglass",)),
    SourceClass(index=8, synset="n00000108", names=("sunglasses", "shades")),
    SourceClass(index=9, synset="n00000109", names=("3",)),
    SourceClass(index=10, synset="n00000110", names=("jack-o'-lantern",)),
    SourceClass(index=11, synset="", names=("mouse",)),
)


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("bee", 0),
        ("Bees", 0),
        (" BEES ", 0),
        ("bee-eaters", 1),
        ("Bee_Eater", 1),
        ("german  SHEPHERDS", 4),
        ("alsatian", 4),
        ("wolves", 5),
        ("buses", 6),
        ("bus", 6),
        ("sunglass", 7),
        ("sunglasses", 8),
        ("jack o lantern", 10),
        ("mice", 11),
        ("n00000105", 5),
        ("wading birds", 2),
    ],
)
def test_whole_names_in_any_number_case_and_spelling(name, index):
    found = suggest([name], SOURCE)[name]
    assert (found.indices, found.candidates) == ((index,), ())
    assert match_source([name], SOURCE) == {name: index}


@pytest.mark.parametrize(
    "name", ["eater", "honey bee", "shepherd", "bird", "beeeater", "b", "", "n00000999", "bu"]
)
def test_parts_of_names_never_match(name):
    found = suggest([name], SOURCE)[name]
    assert (found.indices, found.candidates) == ((), ())
    assert "No source class" in found.reason
    assert match_source([name], SOURCE) == {name: None}


@pytest.mark.parametrize("name", ["crane", "Cranes"])
def test_an_ambiguous_name_is_refused_with_its_candidates(name):
    found = suggest([name], SOURCE)[name]
    assert (found.indices, found.candidates) == ((), (2, 3))
    assert "2 source classes" in found.reason
    assert match_source([name], SOURCE) == {name: None}
    assert unmatched([name, "bee"], SOURCE) == {name: found}


def test_a_number_is_an_index_for_a_probe_but_a_name_for_a_target():
    assert suggest(["3", "5"], SOURCE)["3"].indices == (9,)
    assert suggest(["3", "5"], SOURCE)["5"].indices == ()
    labels = ["3", "11", "12", "-1", "05", "x" * 20, "9" * 5000]
    expected = {"3": 3, "11": 11, "12": None, "-1": None, "05": 5, "x" * 20: None, "9" * 5000: None}
    assert match_source(labels, SOURCE) == expected


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("butterflies", "butterfly"),
        ("cookies", "cookie"),
        ("knives", "knife"),
        ("tomatoes", "tomato"),
        ("churches", "church"),
        ("glasses", "glass"),
        ("horses", "horse"),
        ("foxes", "fox"),
        ("firemen", "fireman"),
        ("polar bears", "polar bear"),
        ("lenses", "lens"),
    ],
)
def test_singular_forms(plural, singular):
    assert singular in singulars(plural)


@pytest.mark.parametrize("word", ["bus", "glass", "iris", "walrus", "as", "s", "", "ss"])
def test_words_that_only_look_like_plurals(word):
    assert singulars(word) == {word}


def test_imagenet_names():
    classes = source_classes("imagenet1k")
    found = suggest(["ants", "bees", "crane", "cats", "0"], classes)
    assert classes[found["ants"].indices[0]].synset == "n02219486"
    assert classes[found["bees"].indices[0]].synset == "n02206856"
    assert len(found["crane"].candidates) == 2
    assert found["cats"].indices == found["0"].indices == ()


def test_every_imagenet_class_is_found_by_index_and_synset():
    classes = source_classes("imagenet1k")
    by_index = match_source([str(c.index) for c in classes], classes)
    by_synset = match_source([c.synset for c in classes], classes)
    assert list(by_index.values()) == list(by_synset.values()) == list(range(1000))


def test_every_imagenet_name_finds_its_class_or_is_ambiguous():
    classes = source_classes("imagenet1k")
    found = suggest([name for source in classes for name in source.names], classes)
    for source in classes:
        for name in source.names:
            assert source.index in found[name].indices + found[name].candidates
