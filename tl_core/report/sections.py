"""The parts of a report: one function for each, one row of `SECTIONS`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from tl_core import columns, flags
from tl_core.flags import FLAGS, Flag
from tl_core.marks import css_line
from tl_core.report import settings, tables
from tl_core.report.charts import Chart
from tl_core.report.markup import (
    Html,
    code,
    facts,
    heading,
    joined,
    listing,
    paragraph,
    section,
    text,
)
from tl_core.report.subject import Subject
from tl_core.script import script
from tl_core.stats import Interval
from tl_core.tables import memory_note
from tl_core.wording import lowered, percent, points, spread

Charts = Mapping[str, Chart]


@dataclass(frozen=True)
class Section:
    """A part of the page: its address, its heading, and what makes the rest."""

    key: str
    title: str
    make: Callable[[Subject, Charts], Html]


def sections(of: Subject, charts: Charts) -> Html:
    """Return the links to the parts that have something to say, and these parts."""
    made = [(one, one.make(of, charts)) for one in SECTIONS]
    filled = [(one, body) for one, body in made if body]
    links = "".join(f'<li><a href="#{one.key}">{text(one.title)}</a></li>' for one, _ in filled)
    parts = (section(one.key, one.title, body) for one, body in filled)
    return joined([Html(f'<nav aria-label="Contents"><ul>{links}</ul></nav>'), *parts])


def figure(chart: Chart | None) -> Html:
    """Return the place of a chart with its legend and its words; nothing for no chart."""
    if chart is None:
        return Html("")
    entries = "".join(
        f'<li><span class="line" style="background:{css_line(colour, dash)}"></span>'
        f"{text(label)}</li>"
        for colour, dash, label in chart.legend
    )
    legend = f'<ul class="legend">{entries}</ul>' if entries else ""
    key = chart.key
    return Html(
        f'<figure aria-labelledby="{key}-title" aria-describedby="{key}-words">'
        f'<h3 id="{key}-title">{text(chart.title)}</h3>'
        f'<div class="plot" id="chart-{key}"></div>'
        f"{legend}<figcaption>{text(chart.note)}</figcaption>"
        f'<p class="unseen" id="{key}-words">{text(chart.alt)}</p></figure>'
    )


def _verdict(of: Subject, charts: Charts) -> Html:
    said = of.verdict
    if said is None:
        return paragraph("No strategy has a result yet, so there is nothing to recommend.")
    first, *rest = said.clauses
    title, _, reason = first.text.partition(". ")
    rest = [*rest, said.certainty, *([said.would_change_if] if said.would_change_if else [])]
    lead = f"<strong>{text(title)}{'.' if reason else ''}</strong> {text(reason) if reason else ''}"
    return joined([Html(f'<p class="lead">{lead}</p>'), *(paragraph(one.text) for one in rest)])


def _strategies(of: Subject, charts: Charts) -> Html:
    return joined(
        [
            figure(charts.get("accuracies")),
            tables.accuracy(of),
            paragraph(
                "To be beaten first of all: always guessing the most frequent class is right on "
                f"{percent(of.started.majority_accuracy)} of the test images."
            ),
            tables.cost(of),
            tables.textbook(of),
            *_trouble(of),
        ]
    )


def _trouble(of: Subject) -> list[Html]:
    """Return runs that failed, and what short memory changed."""
    failed = [
        (f"{one.run.strategy.title}, seed {one.run.seed + 1}, failed", one.reason)
        for run, one in of.found.failed.items()
        if run not in of.found.ended
    ]
    note = memory_note(of.found)
    return [listing(failed), *([paragraph(note)] if note else [])]


def _training(of: Subject, charts: Charts) -> Html:
    return joined(figure(charts.get(key)) for key in ("training", "change", "forgotten"))


def _classes(of: Subject, charts: Charts) -> Html:
    return joined([figure(charts.get("classes")), tables.classes(of)])


def _trust(of: Subject, charts: Charts) -> Html:
    if not of.flags:
        return Html("")
    by_state = {state: [flag for flag in of.flags if flag.state == state] for state in flags.STATES}
    unknown = [(one.title, f"{one.text} {one.remedy}") for one in by_state["unknown"]]
    clear = [(one.title, one.text) for one in by_state["clear"]]
    return joined(
        [
            paragraph(flags.summary(of.flags)),
            *(
                _raised(of, list(same))
                for _, same in groupby(by_state["raised"], key=lambda flag: flag.name)
            ),
            *([heading("Could not be checked"), listing(unknown)] if unknown else []),
            *([heading("Clear"), listing(clear)] if clear else []),
            figure(charts.get("reliability")),
            tables.calibration(of),
        ]
    )


def _raised(of: Subject, same: Sequence[Flag]) -> Html:
    """Return a check that raises flags: what it found of each strategy, the worst first."""
    first = same[0]
    remedies = [said for said in dict.fromkeys(flag.remedy for flag in same) if said]
    shared = len(remedies) == 1
    numbers = [
        ("What it is", FLAGS[first.name].meaning),
        *((_whose(of, flag), _number(flag.value, flag.unit)) for flag in same if flag.value),
        *(("Held against", said) for said in dict.fromkeys(flag.baseline for flag in same) if said),
        *([("What to do", remedies[0])] if shared else []),
        *dict.fromkeys(pair for flag in same for pair in flag.evidence),
    ]
    told = joined(paragraph(flag.text if shared else f"{flag.text} {flag.remedy}") for flag in same)
    body = joined([heading(f"Raised: {lowered(first.title)}"), told, facts(numbers)])
    return Html(f'<div class="flag">{body}</div>')


def _whose(of: Subject, flag: Flag) -> str:
    return of.evidence.titles[flag.strategy] if flag.strategy else "Number"


def _number(value: Interval, unit: str) -> str:
    if unit not in ("points", "percent"):
        return f"{value.value:.3g} ({value.low:.3g} to {value.high:.3g}) {unit}".strip()
    return f"{points(value.value)} {unit} ({spread(value.low, value.high)})"


def _data(of: Subject, charts: Charts) -> Html:
    return joined([facts(settings.data(of)), facts(settings.source(of))])


def _settings(of: Subject, charts: Charts) -> Html:
    return joined(
        [
            facts(settings.plan(of)),
            heading("Strategies"),
            listing([(one.title, one.summary) for one in of.found.strategies]),
            *_class_map(of),
        ]
    )


def _class_map(of: Subject) -> list[Html]:
    pairs = settings.class_map(of)
    return [heading("Your classes and the source classes"), facts(pairs)] if pairs else []


def _environment(of: Subject, charts: Charts) -> Html:
    return joined(
        [
            facts(settings.environment(of)),
            heading("Licences"),
            facts(settings.licences(of)),
        ]
    )


def _again(of: Subject, charts: Charts) -> Html:
    return joined(
        [
            paragraph("The command:"),
            code(of.started.command),
            paragraph("The same as a Python script, which refuses other images than these:"),
            code(script(of.started.config, of.data)),
        ]
    )


def _definitions(of: Subject, charts: Charts) -> Html:
    known = columns.columns(of.found, of.verdict)
    return facts([(column.title, column.definition) for column in known])


SECTIONS: Final = (
    Section("verdict", "Verdict", _verdict),
    Section("strategies", "All strategies", _strategies),
    Section("training", "While training", _training),
    Section("trust", "Can it be trusted?", _trust),
    Section("classes", "Classes", _classes),
    Section("data", "Data", _data),
    Section("settings", "Settings", _settings),
    Section("environment", "Machine and licences", _environment),
    Section("again", "These numbers again", _again),
    Section("definitions", "What the columns mean", _definitions),
)
