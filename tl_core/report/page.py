"""The whole page: its head, which forbids every request, and its charts' data and scripts."""

import base64
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from plotly.io.json import to_json_plotly
from plotly.offline import get_plotlyjs

from tl_core.figures.layout import literal
from tl_core.report.charts import Chart, charts
from tl_core.report.markup import Html, joined, paragraph, text
from tl_core.report.sections import sections
from tl_core.report.subject import Subject
from tl_core.wording import number_of

_FILES: Final = Path(__file__).parent


def html(of: Subject) -> str:
    """Return the report: complete in itself, the same for the same comparison.

    Nothing is fetched: styles, scripts and data are in the file, and its own policy lets no other
    script run and no request leave.
    """
    shown = charts(of)
    scripts = [get_plotlyjs(), (_FILES / "page.js").read_text(encoding="utf-8")]
    style = (_FILES / "page.css").read_text(encoding="utf-8")
    title = f"{of.name}{' (recorded)' if of.recorded else ''}"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{text(title, 255)}: Transfer Lab report</title>",
            '<link rel="icon" href="data:,">',
            f"<style>\n{style}</style>",
            "</head>",
            "<body>",
            "<main>",
            _head(of, title),
            sections(of, shown),
            "</main>",
            f'<script type="application/json" id="charts">{_data(of, shown)}</script>',
            *(f"<script>{script}</script>" for script in scripts),
            "</body>",
            "</html>",
            "",
        ]
    )


def _policy(scripts: list[str]) -> str:
    """Return what the page may do: run these scripts and no other, and fetch nothing.

    Charts need styles of their own and turn into pictures by way of `blob:` addresses.
    """
    hashes = (
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    return (
        f"default-src 'none'; script-src {' '.join(hashes)}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _data(of: Subject, shown: dict[str, Chart]) -> str:
    """Return the charts as JSON that cannot end the element it stands in."""
    about = f"{literal(of.started.dataset.name)} · {literal(of.started.backbone_title)}"
    found = [
        {
            "key": chart.key,
            "title": literal(chart.title),
            "about": about,
            "legend": bool(chart.legend),
            "figure": chart.figure.update_layout(template="none").to_plotly_json(),
        }
        for chart in shown.values()
    ]
    made: str = to_json_plotly(found)
    return made


def _head(of: Subject, title: str) -> Html:
    started = of.started
    about = [f"{started.dataset.name}, {started.backbone_title}", started.device_name]
    if of.ended is not None:
        about.append(f"ended {datetime.fromtimestamp(of.ended, UTC):%d %B %Y, %H:%M} UTC")
    parts = [
        Html(f"<h1>{text(title, 255)}</h1>"),
        Html(f'<p class="soft">{" · ".join(text(part) for part in about)}</p>'),
    ]
    if of.recorded is not None:
        said = f"{of.recorded.label}. These numbers were not measured on the reader's machine."
        parts.append(paragraph(said, "notice"))
    if of.found.finished is None:
        parts.append(paragraph(_partial(of), "notice"))
    parts.append(
        Html(
            '<noscript><p class="notice">Charts need scripts, which are switched off here. '
            "Tables and text say the same.</p></noscript>"
        )
    )
    return Html(f"<header>\n{joined(parts)}\n</header>")


def _partial(of: Subject) -> str:
    ended = len(of.found.ended)
    planned = number_of(of.started.planned_runs, "planned training")
    return (
        f"Partial results: {ended:,} of {planned} had ended. Everything here is about these alone."
    )
