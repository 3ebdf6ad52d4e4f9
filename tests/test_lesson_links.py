"""Lesson links: whitelisted, typed, and the same again after a round trip."""

from dataclasses import fields, replace
from urllib.parse import parse_qsl, urlencode

import pytest

from tl_core.catalog import catalog
from tl_core.config import BUDGETS
from tl_core.ingest import SAMPLES
from tl_core.lesson_links import (
    CONTROLS,
    KEYS,
    LinkSettings,
    class_code,
    has_set_up,
    nickname,
    parse,
    query,
)
from tl_core.lessons import LESSONS
from tl_core.strategies import STRATEGIES
from tl_core.weights import FIRST_MODEL

BLOCKS = tuple(block.name for block in catalog()[FIRST_MODEL].blocks)
FULL = LinkSettings(
    lesson="forgetting",
    sample="threads",
    model=FIRST_MODEL,
    strategies=("feature_extraction", "from_scratch"),
    frozen=BLOCKS[:2],
    seeds=3,
    budget="standard",
    steps=120,
    learning_rate=0.0123456789,
    class_balance="weights",
    input_size=96,
    augmentation="none",
    regularisation="mixup",
    rate_range=(1e-05, 0.5),
    forgetting=False,
    guess="from_scratch",
    hide=("data", "plan"),
    screen="big",
    class_code="7b-friday",
    name="Ada & Zoë #1",
)


def test_a_link_gives_back_what_was_written() -> None:
    assert all(getattr(FULL, one.name) not in (None, ()) for one in fields(LinkSettings))
    for settings in (FULL, LinkSettings(), replace(FULL, frozen=(), forgetting=True)):
        again = parse(query(settings))
        assert (again.settings, again.notices) == (settings, ())


@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_every_lesson_and_sample_can_be_linked(lesson: str, sample: str) -> None:
    settings = LinkSettings(lesson=lesson, sample=sample, hide=CONTROLS)
    assert parse(query(settings)).settings == settings


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lesson", "../../etc/passwd"),
        ("sample", "/home/me/pictures"),
        ("sample", "SIGNS"),
        ("model", "resnet18.safetensors"),
        ("strategies", "feature_extraction,rm"),
        ("strategies", ""),
        ("frozen", "no_block"),
        ("seeds", "0"),
        ("seeds", "6"),
        ("seeds", "3.0"),
        ("seeds", "٣"),
        ("budget", "endless"),
        ("steps", "2001"),
        ("steps", "-5"),
        ("rate", "nan"),
        ("rate", "inf"),
        ("rate", "0"),
        ("rate", "1.5"),
        ("rate", "1; drop"),
        ("class_balance", "all"),
        ("forgetting", "1"),
        ("guess", "custom"),
        ("hide", "everything"),
        ("screen", "huge"),
        ("class", "a b"),
        ("class", "x" * 33),
        ("class", "<b>"),
        ("name", "x" * 41),
        ("name", "a\u202eb"),
        ("name", "  "),
    ],
)
def test_a_bad_value_is_refused_with_a_sentence_and_the_rest_is_taken(key: str, value: str) -> None:
    good = "sample" if key != "sample" else "budget"
    link = parse({key: value, good: {"sample": "signs", "budget": "quick"}[good]})
    (said,) = link.notices
    assert said.startswith(key.capitalize()) and said.endswith("left out.")
    assert "  " not in said and value.strip() not in said.split() if len(value) > 8 else True
    assert getattr(link.settings, good) is not None
    taken = [one.name for one in fields(LinkSettings) if getattr(link.settings, one.name)]
    assert taken == [good]


def test_nothing_but_the_whitelist_can_be_set() -> None:
    names = ("weights", "command", "path", "data", "device", "probe", "threads", "TL_HOME")
    link = parse({"seeds": "3", **dict.fromkeys(names, "x")})
    assert link.settings == LinkSettings(seeds=3)
    (said,) = link.notices
    assert said.startswith("Not known in a link: ") and "and others" in said
    assert KEYS.isdisjoint(names)


def test_unknown_keys_are_shown_without_marks() -> None:
    (said,) = parse({"seeds": "3", "<img src=x>": "1"}).notices
    assert said == "Not known in a link: imgsrcx. Left out."


def test_an_address_that_sets_nothing_is_left_alone() -> None:
    assert parse({"job": "abc", "utm_source": "mail"}).notices == ()
    assert parse({"seeds": "3", "job": "abc", "card": "x", "see": "1"}).notices == ()


@pytest.mark.parametrize("row", catalog().values(), ids=lambda row: row.name)
def test_layers_of_every_model_can_be_linked(row) -> None:
    settings = LinkSettings(model=row.name, frozen=tuple(block.name for block in row.blocks))
    again = parse(dict(parse_qsl(urlencode(query(settings)))))
    assert (again.settings, again.notices) == (settings, ())


def test_blocks_belong_to_the_links_model() -> None:
    other = next(
        name
        for name, row in catalog().items()
        if not set(BLOCKS) <= {block.name for block in row.blocks}
    )
    for settings in ({"frozen": BLOCKS[0]}, {"frozen": ",".join(BLOCKS), "model": other}):
        link = parse(settings)
        assert link.settings.frozen is None
        assert "names no blocks of a model" in link.notices[0]


def test_what_makes_a_set_up() -> None:
    assert not has_set_up(LinkSettings(lesson="forgetting", hide=("plan",), screen="big"))
    assert not has_set_up(LinkSettings(class_code="a", name="b", guess="zero_shot"))
    assert has_set_up(LinkSettings(frozen=()))
    assert has_set_up(LinkSettings(forgetting=False))


def test_codes_and_nicknames() -> None:
    assert class_code("Room_1-a") == "Room_1-a"
    assert nickname("  Ada \t Lovelace ") == "Ada Lovelace"
    assert nickname("猫") == "猫"


def test_choices_are_those_of_the_app() -> None:
    for name in BUDGETS:
        assert parse({"budget": name}).settings.budget == name
    everything = ",".join(reversed(STRATEGIES))
    assert parse({"strategies": everything}).settings.strategies == tuple(STRATEGIES)
