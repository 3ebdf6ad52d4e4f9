"""User text is data: whatever a class, file or data set is called, it is shown and nothing else."""

import json
import shlex

import pytest

from tl_core.catalog import catalog
from tl_core.labels import plain_label, revealed
from tl_core.stages import frozen_prefix
from tl_core.strategies import STRATEGIES, custom_strategy
from tl_ui import layers
from tl_ui.widgets import safe_label

HOSTILE = {
    "picture": "![x](http://evil.example/x.png)",
    "link": "[click](javascript:alert(1))",
    "html": "<script>alert(1)</script><b>x</b>",
    "entity": "&lt;b&gt;",
    "emphasis": "**bold** _it_ ~~no~~ `code`",
    "formula": "$\\frac{1}{2}$",
    "shortcode": ":smile: :material/home: :red[x] :blue-badge[y]",
    "heading": "# head",
    "list": "1. one",
    "table": "| a | b |",
    "address": "http://evil.example www.evil.example me@evil.example",
    "arrows": "a -> b <- c -- d >= e",
    "backslash": "a\\*b",
}


def unescaped(label: str) -> str:
    """Return what Markdown makes of a label in which every punctuation mark is escaped."""
    shown, position = [], 0
    while position < len(label):
        char = label[position]
        if char == "\\":
            position += 1
            char = label[position]
        elif char.isascii() and not char.isalnum() and char != " ":
            pytest.fail(f"{char!r} is not escaped in {label!r}")
        shown.append(char)
        position += 1
    return "".join(shown)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_every_mark_is_escaped_and_the_text_survives(text: str) -> None:
    assert unescaped(safe_label(text)).replace("\u2060", "") == text


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        (":smile:", ":smile"),
        (":material/home:", ":material"),
        ("http://evil.example", "://"),
        ("HTTPS://evil.example", "://"),
        ("WWW.evil.example", "www."),
        ("me@evil.example", "me@"),
        ("a -> b", "->"),
        ("a -- b", "--"),
    ],
)
def test_what_streamlit_rewrites_after_markdown_is_broken_up(text: str, broken: str) -> None:
    assert broken not in unescaped(safe_label(text)).lower()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("abc\u202egnp.exe", "abcgnp.exe"),
        ("a\x00b\x1b[31m", "ab[31m"),
        ("two\nlines\tand\u2028more", "two lines and more"),
        ("  wide   space ", "wide space"),
        ("\u2066hidden\u2069", "hidden"),
        ("\ud800", "(no name)"),
        ("", "(no name)"),
        ("\u200b", "(no name)"),
        ("قطة", "قطة"),
        ("猫", "猫"),
    ],
)
def test_controls_vanish_and_letters_stay(text: str, shown: str) -> None:
    assert plain_label(text) == shown


def test_long_names_are_cut_before_they_are_escaped() -> None:
    assert plain_label("x" * 120) == "x" * 120
    assert plain_label("x" * 121) == "x" * 119 + "…"
    assert unescaped(safe_label("*" * 300)) == "*" * 119 + "…"


@pytest.mark.parametrize("row", catalog().values(), ids=catalog().keys())
def test_presets_and_own_choice_freeze_the_same_blocks(row) -> None:
    blocks = len(row.blocks)
    for strategy in STRATEGIES.values():
        trained = layers.trained_blocks(strategy, blocks)
        assert layers.frozen_prefix(trained) == frozen_prefix(strategy, blocks)
        own = custom_strategy([not flag for flag in trained])
        assert layers.trained_blocks(own, blocks) == trained


def test_ticks_of_the_table_change_only_their_block() -> None:
    assert layers.edited((False, False, True), {0: {"Trained": True}}) == (True, False, True)
    assert layers.edited((False, True), {1: {"Trained": False}, 0: {}}) == (False, False)


def test_a_commands_invisible_characters_are_written_out() -> None:
    command = "compare --class-map '{\"a\u202eb\u200d\U000e0001 \u00e9\":[1]}'"
    shown = revealed(command)
    assert shown == "compare --class-map '{\"a\\u202eb\u200d\\udb40\\udc01 é\":[1]}'"
    assert json.loads(shlex.split(shown)[-1]) == json.loads(shlex.split(command)[-1])
