import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from tests.pictures import class_files, png, zipped
from tl_core import ingest, limits
from tl_core.ingest import BadInput, archives

FILES = class_files({"cat": 4, "dog": 4})


@pytest.fixture(autouse=True)
def data_directory(home: Path) -> Path:
    return home


def ingested(stream: io.BytesIO) -> dict[str, str]:
    """Ingest a zip of FILES and more; return reasons of refused entries by name."""
    dataset = ingest.ingest_zip(stream, name="pets")
    assert {image.name for image in dataset.images} == set(FILES)
    return {file.name: file.reason for file in dataset.refused}


def archive_with(name: str, content: bytes = png(99), **fields: object) -> io.BytesIO:
    """Return FILES in a zip, and one more entry whose fields are set as given."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for other, data in FILES.items():
            archive.writestr(other, data)
        info = zipfile.ZipInfo("placeholder")
        info.filename = name
        for field, value in fields.items():
            setattr(info, field, value)
        archive.writestr(info, content)
    stream.seek(0)
    return stream


UNSAFE_NAMES = [
    "../evil.png",
    "cat/../../evil.png",
    "/etc/evil.png",
    "C:/evil.png",
    "c:\\evil.png",
    "..\\evil.png",
    "cat\\..\\..\\evil.png",
    "\\\\server\\share\\evil.png",
    "//server/evil.png",
    "..",
]


@pytest.mark.parametrize("name", UNSAFE_NAMES)
def test_unsafe_names_are_refused_and_nothing_is_written_outside(name, tmp_path, home):
    reasons = ingested(archive_with(name))
    assert list(reasons) == [name]
    assert "path" in reasons[name] or "leads out" in reasons[name]
    outside = [path for path in tmp_path.rglob("*") if home not in path.parents and path != home]
    assert outside == []
    inside = {path.relative_to(home).parts[0] for path in home.rglob("*")}
    assert inside == {"datasets"}


def test_a_symbolic_link_is_refused():
    link = archive_with("cat/link.png", b"/etc/passwd", external_attr=(stat.S_IFLNK | 0o777) << 16)
    assert "link" in ingested(link)["cat/link.png"]


def patched_directory(stream: io.BytesIO, offset: int, value: bytes) -> io.BytesIO:
    """Overwrite bytes in the directory entry of the zip's last file."""
    content = bytearray(stream.getvalue())
    entry = content.rfind(b"PK\x01\x02")
    content[entry + offset : entry + offset + len(value)] = value
    return io.BytesIO(bytes(content))


def test_an_encrypted_entry_is_refused():
    stream = patched_directory(archive_with("cat/secret.png"), 8, b"\x01\x00")
    assert "password" in ingested(stream)["cat/secret.png"]


@pytest.mark.parametrize("method", [9, 12, 14, 93, 99])
def test_an_unusual_compression_is_refused(method):
    stream = patched_directory(archive_with("cat/odd.png"), 10, struct.pack("<H", method))
    assert "unusual compression" in ingested(stream)["cat/odd.png"]


def test_a_wrong_checksum_is_refused():
    stream = patched_directory(archive_with("cat/flipped.png"), 16, b"\1\2\3\4")
    assert "checksum" in ingested(stream)["cat/flipped.png"]


def test_a_lying_size_is_refused():
    stream = patched_directory(archive_with("cat/liar.png"), 24, struct.pack("<L", 10))
    assert "checksum" in ingested(stream)["cat/liar.png"]


def test_a_name_behind_a_nul_is_not_hidden():
    stream = archive_with("cat/name.png")
    content = stream.getvalue().replace(b"cat/name.png", b"cat/n\0me.png")
    dataset = ingest.ingest_zip(io.BytesIO(content), name="pets")
    listed = [i.name for i in dataset.images] + [f.name for f in dataset.refused]
    assert "cat/nme.png" in listed


def test_old_encodings_stay_readable_where_possible():
    stream = archive_with("cat/@@@@@@.png")
    unflagged_utf8 = stream.getvalue().replace(b"@@@@@@", "äöü".encode())
    dataset = ingest.ingest_zip(io.BytesIO(unflagged_utf8), name="pets")
    assert "cat/äöü.png" in {image.name for image in dataset.images}
    shift_jis = stream.getvalue().replace(b"@@@@@@", "日本語".encode("shift-jis"))
    dataset = ingest.ingest_zip(io.BytesIO(shift_jis), name="pets")
    assert any("old encoding" in note for note in dataset.notes)
    assert len(dataset.images) == len(FILES) + 1


def _overlapping() -> io.BytesIO:
    """Return a zip in which two directory entries point at the same data."""
    content = bytearray(zipped(FILES).getvalue())
    first = content.find(b"PK\x01\x02")
    second = content.find(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    return io.BytesIO(bytes(content))


def _bad_utf8() -> io.BytesIO:
    flagged = zipped({"cat/ä.png": png(0)}).getvalue()
    return io.BytesIO(flagged.replace("ä".encode(), b"\xff\xfe"))


def _end_record(count: int, directory: int) -> io.BytesIO:
    """Return FILES as a zip whose end record announces other numbers."""
    content = bytearray(zipped(FILES).getvalue())
    end = content.rfind(b"PK\x05\x06")
    struct.pack_into("<HHL", content, end + 8, count, count, directory)
    return io.BytesIO(bytes(content))


BAD_ZIPS = {
    "not a zip": (lambda: io.BytesIO(b"hello" * 100), "cannot be read"),
    "empty file": (lambda: io.BytesIO(b""), "cannot be read"),
    "empty zip": (lambda: zipped({}), "no usable image"),
    "cut off": (lambda: io.BytesIO(zipped(FILES).getvalue()[:-40]), "cannot be read"),
    "bad UTF-8 name": (_bad_utf8, "not valid UTF-8"),
    "overlapping entries": (_overlapping, "overlap"),
    "zeros": (lambda: zipped({"cat/0.bmp": bytes(30 * limits.MB)}), "100 times its size"),
    "too many by count": (lambda: _end_record(20_001, 500), "more than 20,000"),
    "too many by directory": (lambda: _end_record(8, 11 * limits.MB), "more than 20,000"),
}


@pytest.mark.parametrize("case", BAD_ZIPS)
def test_bad_zips_are_refused_with_a_sentence_and_leave_nothing(case, home):
    make, sentence = BAD_ZIPS[case]
    with pytest.raises(BadInput, match=sentence):
        ingest.ingest_zip(make(), name="pets")
    root = home / "datasets"
    assert not root.exists() or list(root.iterdir()) == []


def test_more_entries_than_announced(monkeypatch):
    monkeypatch.setattr(archives, "MAX_ENTRIES", 7)
    with pytest.raises(BadInput, match="There are more than"):
        ingest.ingest_zip(_end_record(3, len(_directory())), name="pets")


def _directory() -> bytes:
    content = zipped(FILES).getvalue()
    return content[content.find(b"PK\x01\x02") : content.rfind(b"PK\x05\x06")]


def test_many_entries_in_the_64_bit_form():
    """The 16-bit count saturates; the true one is in the record before it."""
    content = zipped(FILES).getvalue()
    end = content.rfind(b"PK\x05\x06")
    record = archives._END64.pack(b"PK\x06\x06", 44, 45, 45, 0, 0, 100_000, 100_000, 500, 0)
    locator = archives._LOCATOR64.pack(b"PK\x06\x07", 0, end, 1)
    saturated = archives._END.pack(b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    with pytest.raises(BadInput, match="more than 20,000"):
        ingest.ingest_zip(io.BytesIO(content[:end] + record + locator + saturated), name="pets")


def test_sizes_are_limited_as_declared_and_as_counted(monkeypatch):
    total = sum(map(len, FILES.values()))
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", total - 1)
    with pytest.raises(BadInput, match="Unpacked, the zip file is larger"):
        ingest.ingest_zip(zipped(FILES), name="pets")
    budget = archives._Budget(total)
    budget.spend(total - 1)
    with pytest.raises(BadInput, match="Unpacked"):
        budget.spend(1)


def test_the_file_itself_is_limited(monkeypatch):
    monkeypatch.setattr(archives, "MAX_ZIP_BYTES", 1000)
    with pytest.raises(BadInput, match="zip file is larger than"):
        ingest.ingest_zip(zipped(FILES), name="pets")


def test_a_zip_behind_other_data_is_read():
    """Self-extracting archives begin with a program, which is never run."""
    assert ingested(io.BytesIO(b"MZ program" * 50 + zipped(FILES).getvalue())) == {}


def test_every_cut_of_a_zip_is_refused_or_read():
    content = zipped(FILES).getvalue()
    for length in range(0, len(content), 401):
        try:
            ingest.ingest_zip(io.BytesIO(content[:length]), name="pets")
        except BadInput:
            continue
        pytest.fail(f"a zip cut at {length} bytes was taken for whole")
