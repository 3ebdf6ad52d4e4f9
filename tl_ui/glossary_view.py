"""The glossary, searchable, and its sentences as tooltips."""

import streamlit as st

from tl_core import glossary
from tl_core.glossary import Term
from tl_core.wording import capitalised


def popover() -> None:
    """Show a button that opens the glossary."""
    with st.popover("Glossary", icon=":material/menu_book:", type="tertiary"):
        wanted = st.text_input(
            "Search the glossary",
            key="glossary_search",
            placeholder="a word, such as frozen or seed",
            type="search",
        )
        found = glossary.search(wanted or "")
        st.caption(f"{len(found)} of {len(glossary.TERMS)} terms")
        with st.container(height=320, border=False):
            # One element: it stands on every page, open or not.
            st.markdown("\n\n".join(_line(term) for term in found))


def _line(term: Term) -> str:
    related = f" *See also: {', '.join(term.related)}.*" if term.related else ""
    return f"**{capitalised(term.name)}.** {term.text}{related}"
