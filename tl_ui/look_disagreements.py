"""Disagreements: test images that strategies answer differently, the most telling first."""

import streamlit as st

from tl_core import disagreements
from tl_core.image_answers import ImageAnswers
from tl_core.wording import lowered, number_of
from tl_ui import gallery, looked, versions
from tl_ui.looked import Looked
from tl_ui.widgets import safe_label

_ANYONE = ""


def section(of: Looked) -> None:
    """Show the images on which the shown strategies disagree."""
    if len(of.measured) < 2:
        st.info(
            "One strategy alone agrees with itself. Show at least two.",
            icon=":material/compare_arrows:",
        )
        return
    answered = looked.answers(of)
    recommended = of.recommended if of.recommended in of.measured else None
    found = disagreements.disagreements(answered, recommended)
    wanted = _who(of)
    if wanted:
        found = disagreements.wrong(found, wanted)
    _words(of, answered, found, wanted)
    data = versions.versions(of)
    if data is None:
        return
    for one in gallery.pages(found, of.key(f"disagreements_{wanted}")):
        gallery.picture(data.then, one.image)
        st.markdown(f"**{safe_label(of.facts.classes[one.label], 60)}**")
        gallery.answers(of, one)


def _who(of: Looked) -> str:
    """Let the user choose whose mistakes to see."""
    chosen: str = st.selectbox(
        "Who is wrong?",
        [_ANYONE, *of.measured],
        format_func=lambda name: of.titles[name] if name else "Anyone",
        key=of.key(f"disagreements_who_{len(of.measured)}"),
        width=320,
    )
    return chosen


def _words(
    of: Looked, answered: list[ImageAnswers], found: list[ImageAnswers], wanted: str
) -> None:
    images = number_of(len(answered), "test image")
    if not found:
        st.markdown(f"**No disagreement of this kind** among {images}.")
        return
    if wanted:
        title = safe_label(lowered(of.titles[wanted]))
        st.markdown(
            f"**Of {images}, {title} is wrong on {len(found):,} on which the shown strategies "
            "disagree.**"
        )
    else:
        st.markdown(f"**The shown strategies disagree on {len(found):,} of {images}.**")
    first = (
        f"those that {lowered(of.titles[of.recommended])} got wrong and others right"
        if of.recommended in of.measured
        else "those on which they are most evenly divided"
    )
    several = any(answer.runs > 1 for one in found for answer in one.answers.values())
    over = " Answers are the commonest over the seeds." if several else ""
    st.caption(f"First come {safe_label(first, 200)}.{over}")
