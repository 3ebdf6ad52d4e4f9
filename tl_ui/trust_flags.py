"""Flags as cards: raised ones open, what could not be checked and what is clear folded."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import streamlit as st

from tl_core.flags import FLAGS, Flag, said, summary
from tl_core.wording import lowered, number_of
from tl_ui import asking
from tl_ui.trust_evidence import Subject
from tl_ui.widgets import safe_label

_LONG = 1200
# A check's name and its flags.
Rule = tuple[str, list[Flag]]


def show(of: Subject, found: Sequence[Flag]) -> None:
    """Show what was found in one sentence, then the flags."""
    raised = _by_rule(found, "raised")
    icon = ":material/flag:" if raised else ":material/verified:"
    st.markdown(f"{icon} **{summary(list(found))}**")
    for side, cards in zip(st.columns(2, gap="small"), _dealt(raised), strict=True):
        with side:
            for name, flags in cards:
                _card(of.titles, name, flags)
    _unknown(of, _by_rule(found, "unknown"))
    _folded(_by_rule(found, "clear"))


def _by_rule(found: Sequence[Flag], state: str) -> list[Rule]:
    some = [flag for flag in found if flag.state == state]
    return [(name, list(flags)) for name, flags in groupby(some, key=lambda flag: flag.name)]


def _dealt(raised: Sequence[Rule]) -> tuple[list[Rule], list[Rule]]:
    """Return the cards of two columns of about the same height, in reading order."""
    sides: tuple[list[Rule], list[Rule]] = ([], [])
    heights = [0, 0]
    for rule in raised:
        shorter = heights.index(min(heights))
        sides[shorter].append(rule)
        first, *others = rule[1]
        heights[shorter] += 150 + len(first.text) + len(first.remedy) + 60 * bool(others)
    return sides


def _card(titles: Mapping[str, str], name: str, found: Sequence[Flag]) -> None:
    """Show one raised check: the worst strategy in words, the others in numbers, what to do."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="xsmall"):
            st.markdown(f":material/flag: **{safe_label(found[0].title)}**")
            _why(name, found)
        first, *others = found
        st.markdown(safe_label(first.text, _LONG))
        if others:
            st.markdown(safe_label(_also(titles, others), _LONG))
        if first.remedy:
            st.caption(f":material/build: {safe_label(first.remedy, _LONG)}")


def _also(titles: Mapping[str, str], others: Sequence[Flag]) -> str:
    """Return the other strategies of a check in numbers; what is about none, in its words."""
    titles = {name: lowered(title) for name, title in titles.items()}
    short = [
        f"{titles.get(flag.strategy, flag.strategy)}, {said(flag.value)}"
        for flag in others
        if flag.strategy and flag.value
    ]
    long = [flag.text for flag in others if not (flag.strategy and flag.value)]
    return " ".join([*([f"Also: {'; '.join(short)}."] if short else []), *long])


def _why(name: str, found: Sequence[Flag]) -> None:
    with st.popover(
        "Why?", type="tertiary", key=f"flag_{name}", help="What it means, and its numbers"
    ):
        st.markdown(safe_label(FLAGS[name].meaning, _LONG))
        for baseline in dict.fromkeys(flag.baseline for flag in found if flag.baseline):
            st.markdown(f"**Held against:** {safe_label(baseline, 300)}")
        for flag in found[1:]:
            if flag.remedy != found[0].remedy:
                st.markdown(f"{safe_label(flag.text, _LONG)} {safe_label(flag.remedy, _LONG)}")
        for label, value in dict.fromkeys(pair for flag in found for pair in flag.evidence):
            st.markdown(f"**{safe_label(label, 200)}:** {safe_label(value, 300)}")


def _unknown(of: Subject, found: Sequence[Rule]) -> None:
    if not found:
        return
    with st.expander(f"{number_of(len(found), 'check')} could not be made", icon=":material/help:"):
        if "data_faults" in {name for name, _ in found}:
            _ask(of)
        for _, flags in found:
            for flag in flags:
                remedy = f" {safe_label(flag.remedy, _LONG)}" if flag.remedy else ""
                st.markdown(f"**{safe_label(flag.title)}.** {safe_label(flag.text, _LONG)}{remedy}")


def _ask(of: Subject) -> None:
    """Offer the data check, for whose answer several checks wait."""
    if of.job.config is not None:
        asking.answer(
            "check",
            of.job.config,
            label="Check these images",
            help="Looks for copies, wrong labels and blank images, whether they reach the network "
            "as its weights expect, and how far they lie from the source images.",
        )


def _folded(found: Sequence[Rule]) -> None:
    if not found:
        return
    with st.expander(
        f"{number_of(len(found), 'check')} {'is' if len(found) == 1 else 'are'} clear",
        icon=":material/check_circle:",
    ):
        for name, flags in found:
            line = st.container(horizontal=True, vertical_alignment="top", wrap=False, gap="xsmall")
            line.markdown(f"**{safe_label(flags[0].title)}.** {safe_label(flags[0].text, _LONG)}")
            with line:
                _why(name, flags)
