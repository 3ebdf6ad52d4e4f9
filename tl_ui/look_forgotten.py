"""What was forgotten: how much of the source skill is left, and the images that were lost."""

import streamlit as st

from tl_core import figures, source_images, source_skill
from tl_core.catalog import Model, catalog, source_classes
from tl_core.datasets import Dataset
from tl_core.events import SourceFacts
from tl_core.source_skill import Lost, Skill
from tl_core.wording import lowered, number_of, points
from tl_ui import current, gallery, plots
from tl_ui.looked import Looked
from tl_ui.widgets import safe_label


def section(of: Looked) -> None:
    """Show a gauge for each strategy and, for one, the source images it no longer recognises."""
    assert of.found.started is not None
    source = of.found.started.source
    if source is None:
        st.info(
            "There were no labelled source images, so nobody can say what was forgotten: the table "
            "shows drift, predictions that changed. Bring some on the data page to see this.",
            icon=":material/psychology_alt:",
        )
        return
    if source.rated:
        _gauges(of)
    else:
        st.info("Under 20 source images there is no rate, only what became of each.")
    pretrained = {strategy.name for strategy in of.found.strategies if strategy.pretrained}
    had = [name for name in of.measured if name in pretrained]
    if not had:
        st.caption("None of the shown strategies had the source skill: nothing could be forgotten.")
        return
    _lost(of, source, had)


def _gauges(of: Looked) -> None:
    skills = source_skill.skills(of.found, of.rows)
    never = [of.titles[row.strategy] for row in of.rows if row.agreement is None]
    if skills:
        plots.show(
            figures.skill_gauges(skills),
            key=of.key("chart_skill"),
            file="source-skill-left",
            alt=f"Source skill left: {figures.describe_skills(skills)}",
        )
        st.markdown("\n".join(f"- {_words(skill)}" for skill in skills))
    st.caption(
        "Dotted: the original model. Intervals are of the paired loss: the same images before and "
        "after." + (f" Never had the skill: {safe_label(', '.join(never), 200)}." if never else "")
    )


def _words(skill: Skill) -> str:
    left, title = skill.left, safe_label(skill.title)
    if left.low == left.high:
        return f"**{title}** recognises exactly what it did before, {points(skill.before)}%."
    return (
        f"**{title}** recognises {points(left.value)}% of the source images ({points(left.low)} to "
        f"{points(left.high)}), {100 * skill.share:.0f}% of what it could before."
    )


def _lost(of: Looked, source: SourceFacts, had: list[str]) -> None:
    """Show the images that one strategy recognised before and no longer does."""
    by_name = {name: source_skill.lost(of.found, name) for name in had}
    most = max(had, key=lambda name: len(by_name[name]))
    chosen: str = st.pills(
        "Lost by",
        had,
        default=most,
        required=True,
        format_func=lambda name: f"{of.titles[name]} ({len(by_name[name])})",
        key=of.key(f"forgotten_of_{'_'.join(had)}"),
        label_visibility="collapsed",
    )
    gone, title = by_name[chosen], safe_label(lowered(of.titles[chosen]))
    if not gone:
        st.markdown(f"**No image was lost by {title}:** what it recognised before it still does.")
        return
    st.markdown(
        f"**{number_of(len(gone), 'image')} of {number_of(source.images, 'source image')} that the "
        f"original model recognised and {title} does not.**"
    )
    assert of.found.started is not None
    row = catalog().get(of.found.started.config.backbone)
    pictures = _pictures(source, row)
    if row is None or pictures is None:
        st.warning(
            "These source images are no longer on this machine, or were changed since: the numbers "
            "stay, the pictures cannot be shown.",
            icon=":material/hide_image:",
        )
        return
    data, places = pictures
    for one in gallery.pages(gone, of.key(f"forgotten_{chosen}")):
        gallery.picture(data, places[one.place])
        _turn(one, row)


def _pictures(source: SourceFacts, row: Model | None) -> tuple[Dataset, tuple[int, ...]] | None:
    """Return the source images and where each of the probe is; None if they are not the same."""
    data = current.load(source.fingerprint)
    if data is None or row is None:
        return None
    chosen = source_images.measured_in(source, data, row)
    return (data, chosen.places) if chosen.labels == source.labels else None


def _turn(one: Lost, row: Model) -> None:
    """Say what an image was recognised as, and what it is taken for now."""
    classes = source_classes(row.weights.source_classes)
    before, after = (
        safe_label(classes[index].names[0], 60) if index < len(classes) else str(index)
        for index in (one.label, one.after)
    )
    seeds = f"  \nin {one.lost} of {one.runs} seeds" if one.runs > 1 else ""
    st.caption(
        f":material/check: before: **{before}**  \n:material/close: after: **{after}**{seeds}"
    )
