import os

import pytest

from tl_core import cache


def build(name: str, size: int, used: int) -> None:
    path = cache.entry("numbers", name)
    with cache.building(path, size) as part:
        (part / "values.bin").write_bytes(b"x" * size)
    os.utime(path, (used, used))


def test_the_longest_unused_entries_make_room(home, monkeypatch):
    monkeypatch.setattr(cache, "CAPACITY_BYTES", 10_000)
    build("old", 4000, 1000)
    build("older, used again", 4000, 500)
    assert cache.is_ready(cache.entry("numbers", "older, used again"))
    build("new", 5000, 3000)
    ready = [n for n in ("old", "older, used again", "new") if cache.entry("numbers", n).is_dir()]
    assert ready == ["older, used again", "new"]


def test_an_error_leaves_no_entry(home):
    path = cache.entry("numbers", "broken")
    with pytest.raises(OSError, match="no space"), cache.building(path, 1) as part:
        (part / "values.bin").write_bytes(b"x")
        raise OSError("no space")
    assert not cache.is_ready(path)
    assert list(path.parent.iterdir()) == []


def test_who_is_overtaken_in_the_last_moment_keeps_the_first_entry(home):
    path = cache.entry("numbers", "same")
    with cache.building(path, 1) as part:
        (part / "values.bin").write_bytes(b"other")
        path.mkdir()
        (path / "values.bin").write_bytes(b"xxx")
    assert (path / "values.bin").read_bytes() == b"xxx"
    assert list(path.parent.glob("*.part")) == []


def test_who_comes_second_keeps_the_first_entry(home):
    path = cache.entry("numbers", "same")
    build("same", 3, 1000)
    with cache.building(path, 1) as part:
        (part / "values.bin").write_bytes(b"other")
    assert (path / "values.bin").read_bytes() == b"xxx"


def test_a_flipped_bit_in_an_entry_is_found_before_it_is_used(home):
    build("same", 1000, 1000)
    path = cache.entry("numbers", "same")
    assert cache.is_ready(path)
    content = bytearray((path / "values.bin").read_bytes())
    content[500] ^= 1
    (path / "values.bin").write_bytes(content)
    cache._looked_at.clear()  # another process
    assert not cache.is_ready(path)
    assert not path.exists()
    build("same", 1000, 1000)
    assert cache.is_ready(path)


@pytest.mark.parametrize("content", [b"", b"{}x", b'{"gone.bin": "00"}'])
def test_a_damaged_seal_counts_as_damage(home, content):
    build("same", 10, 1000)
    path = cache.entry("numbers", "same")
    (path / cache.SEAL).write_bytes(content)
    assert not cache.is_ready(path)
