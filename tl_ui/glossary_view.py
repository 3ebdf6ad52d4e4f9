"""The glossary, searchable, and its sentences as tooltips."""

import streamlit as st

from tl_core import glossary


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
            for term in found:
                related = f" *See also: {', '.join(term.related)}.*" if term.related else ""
                st.markdown(f"**{term.name[:1].upper()}{term.name[1:]}.** {term.text}{related}")
