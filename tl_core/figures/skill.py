"""How much of the source skill is left, as a gauge for each strategy."""

from collections.abc import Sequence

import plotly.graph_objects as go

from tl_core.curves import MAJORITY_COLOUR, colour
from tl_core.figures.layout import dots_height, laid_out
from tl_core.source_skill import Skill
from tl_core.wording import points, spread


def skill_gauges(skills: Sequence[Skill]) -> go.Figure:
    """Return what is left as bars with their intervals, from 0 to what there was (dotted)."""
    titles = [skill.title for skill in skills]
    figure = go.Figure()
    figure.add_trace(
        go.Bar(
            x=[skill.before for skill in skills],
            y=titles,
            orientation="h",
            marker={"color": "rgba(128,128,128,0.18)", "line": {"width": 0}},
            hoverinfo="skip",
            name="before training",
        )
    )
    for skill in skills:
        figure.add_trace(_left(skill))
    if skills:
        figure.add_vline(skills[0].before, line_color=MAJORITY_COLOUR, line_dash="dot")
    figure.update_xaxes(title="Source images recognised (%)", range=[0, 101], zeroline=False)
    figure.update_yaxes(categoryorder="array", categoryarray=titles[::-1])
    laid_out(figure, dots_height(len(skills)))
    return figure.update_layout(barmode="overlay", bargap=0.35)


def _left(skill: Skill) -> go.Bar:
    left = skill.left
    said = f"{points(left.value)}% of source images ({spread(left.low, left.high)})"
    return go.Bar(
        x=[left.value],
        y=[skill.title],
        orientation="h",
        marker={"color": colour(skill.strategy)},
        error_x={
            "array": [left.high - left.value],
            "arrayminus": [left.value - left.low],
            "thickness": 2,
            "width": 6,
            "color": MAJORITY_COLOUR,
        },
        name=skill.title,
        hovertemplate=f"{said}, before training {points(skill.before)}%<extra></extra>",
    )


def describe_skills(skills: Sequence[Skill]) -> str:
    """Return the gauges in words."""
    return "; ".join(
        f"{skill.title}: {points(skill.left.value)} of {points(skill.before)}% left"
        for skill in skills
    )
