"""Lesson links in the app: what an address sets is brought into the session once, and said."""

from collections.abc import Mapping
from dataclasses import fields, replace

import streamlit as st
from streamlit.navigation.page import Page

from tl_core import ingest, lesson_links
from tl_core.catalog import catalog
from tl_core.config import DRAWN
from tl_core.lesson_links import Control, LinkSettings
from tl_ui import big_screen, current, guess, theme, workshop
from tl_ui.card_deck import LESSON_DECK
from tl_ui.state import Choice, choice, choose
from tl_ui.widgets import flash, safe_label

_TAKEN, _HIDDEN = "link_taken", "link_hidden"
_PLAN = (
    "strategies",
    "seeds",
    "budget",
    "steps",
    "learning_rate",
    "class_balance",
    "input_size",
    "augmentation",
    "regularisation",
    "rate_range",
)


def take() -> None:
    """Bring what the address sets into the session, once for each such address."""
    query = st.query_params.to_dict()
    # Which lesson is open changes as one goes on, and sets nothing.
    ours = {
        key: value
        for key, value in query.items()
        if key in lesson_links.KEYS and (key, value) != ("lesson", LESSON_DECK.named(query))
    }
    if not ours or st.session_state.get(_TAKEN) == ours:
        return
    st.session_state[_TAKEN] = ours
    link = lesson_links.parse(query)
    _set(link.settings, link.notices)


def to_lesson(page: Page) -> None:
    """Go to the lesson that the address names, if it opened another page."""
    if LESSON_DECK.named(st.query_params) and page.url_path != "lessons":
        st.switch_page(theme.LESSONS, query_params=st.query_params.to_dict())


def hidden(control: Control) -> bool:
    """Return whether a link hides a control."""
    return control in st.session_state.get(_HIDDEN, ())


def banner() -> None:
    """Say what a link hides, with the way back."""
    names = st.session_state.get(_HIDDEN, ())
    if not names:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="link_banner"):
        st.caption(":material/school: Set up by a link: some controls are hidden.", width="content")
        st.button("Show everything", key="show_everything", type="tertiary", on_click=show_all)


def show_all() -> None:
    """Show what a link hides, here and after a refresh."""
    st.session_state.pop(_HIDDEN, None)
    st.query_params.pop("hide", None)
    st.session_state[_TAKEN] = {
        key: value for key, value in st.session_state.get(_TAKEN, {}).items() if key != "hide"
    }


def _set(wanted: LinkSettings, notices: tuple[str, ...]) -> None:
    before = choice()
    if wanted.hide:
        st.session_state[_HIDDEN] = wanted.hide
    if wanted.screen is not None:
        big_screen.switch(wanted.screen == "big")
    if wanted.guess is not None:
        guess.remember(wanted.guess)
    if wanted.class_code is not None or wanted.name is not None:
        workshop.join(wanted.class_code, wanted.name)
    said = [*notices]
    if lesson_links.has_set_up(wanted):
        choose(**_changes(wanted, before))
        said.insert(0, "This link set up what is compared.")
    if said:
        icon = ":material/info:" if notices else ":material/link:"
        undo = (lambda: _back(before)) if lesson_links.has_set_up(wanted) else None
        flash(" ".join(safe_label(text, 400) for text in said), icon, undo)


def _back(before: Choice) -> None:
    choose(**{field.name: getattr(before, field.name) for field in fields(before)})


def _changes(wanted: LinkSettings, before: Choice) -> Mapping[str, object]:
    """Return what changes of the choice: a link's plan is whole, its data and model may be open."""
    plain = Choice()
    changes: dict[str, object] = {
        name: getattr(plain, name) if (given := getattr(wanted, name)) is None else given
        for name in _PLAN
    }
    changes["frozen"] = None
    if wanted.sample is not None:
        changes["dataset"] = current.sample(wanted.sample).fingerprint
    if wanted.model is not None and wanted.model != before.backbone:
        changes |= {"backbone": wanted.model, "weights": None, "class_map": {}}
        changes["probe"] = None if before.probe is None else DRAWN
    if wanted.forgetting is not None:
        changes["probe"] = DRAWN if wanted.forgetting else None
    if wanted.frozen is not None and wanted.model is not None:
        blocks = catalog()[wanted.model].blocks
        changes["frozen"] = tuple(block.name in wanted.frozen for block in blocks)
    return changes


def settings() -> LinkSettings:
    """Return the session's set-up as a link can carry it; data of one's own it cannot."""
    chosen, plain = choice(), Choice()
    blocks = [block.name for block in current.model().blocks]
    own = chosen.frozen if chosen.frozen and len(chosen.frozen) == len(blocks) else None
    found = LinkSettings(
        sample=ingest.sample_name(current.dataset()),
        model=chosen.backbone,
        frozen=None if own is None else tuple(n for n, f in zip(blocks, own, strict=True) if f),
        forgetting=False if chosen.probe is None else None,
    )
    changed = {
        name: getattr(chosen, name)
        for name in _PLAN
        if getattr(chosen, name) != getattr(plain, name)
    }
    return replace(found, **changed)
