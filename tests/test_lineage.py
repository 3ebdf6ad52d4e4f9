"""What edits made of a data set, and where its images are in it."""

from tests.test_edits import bring
from tl_core import datasets, lineage
from tl_core.ingest import edits


def test_the_newest_version_is_at_the_end_of_the_chain(home):
    data = bring()
    assert lineage.newest(data) == data
    fewer = edits.drop(data, [0])
    moved = edits.relabel(fewer, {0: 1})
    assert lineage.newest(data) == lineage.newest(fewer) == moved
    assert lineage.descends(moved, data) and lineage.descends(moved, moved)
    assert not lineage.descends(data, moved)


def test_edits_that_undo_each_other_do_not_go_round_for_ever(home):
    data = bring()
    changed = edits.relabel(data, {0: 1})
    place = next(i for i, im in enumerate(changed.images) if im.pixels == data.images[0].pixels)
    back = edits.relabel(changed, {place: 0})
    assert back.fingerprint == data.fingerprint
    assert lineage.newest(data).fingerprint in {data.fingerprint, changed.fingerprint}
    assert lineage.descends(back, data)


def test_a_deleted_version_breaks_the_chain(home):
    data = bring()
    fewer = edits.drop(data, [0])
    moved = edits.relabel(fewer, {0: 1})
    datasets.delete(fewer.fingerprint)
    assert not lineage.descends(moved, data)
    assert lineage.newest(data) == data


def test_images_are_found_again_by_name_and_pixels(home):
    data = bring()
    changed = edits.relabel(edits.drop(data, [2]), {0: 1})
    places = lineage.counterparts(data, changed)
    assert sorted(places) == [i for i in range(len(data.images)) if i != 2]
    assert sorted(places.values()) == list(range(len(changed.images)))
    for then, now in places.items():
        assert data.images[then].pixels == changed.images[now].pixels
        assert data.images[then].name == changed.images[now].name
    assert lineage.counterparts(data, data) == {i: i for i in range(len(data.images))}
