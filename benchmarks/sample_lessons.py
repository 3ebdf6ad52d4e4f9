"""Does each sample set show what it claims? Five strategies on every set, three seeds.

    python -m benchmarks.sample_lessons [--samples signs,digits] [--write docs/samples.md]

Runs the app's own comparisons with the bundled model and prints the tables of docs/samples.md;
`--write` puts them there, between the two marks. Exit code 1 if a claim does not hold.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.lessons import LESSONS, Measured, measured
from benchmarks.rows import inserted
from tl_core.ingest import SAMPLES
from tl_core.notebook import compare
from tl_core.strategies import STRATEGIES, TEXTBOOK_STRATEGIES
from tl_core.tables import StrategyRow
from tl_core.wording import duration, percent, points, spread

BEGIN: Final = "<!-- measured: python -m benchmarks.sample_lessons -->"
END: Final = "<!-- end of what was measured -->"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparisons and print, or write, the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", default=",".join(SAMPLES), metavar="A,B")
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--budget", default="quick")
    parser.add_argument("--write", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    found: dict[str, Measured] = {}
    seconds: dict[str, float] = {}
    for name in options.samples.split(","):
        started = time.perf_counter()
        result = compare(f"sample:{name}", seeds=options.seeds, budget=options.budget)
        found[name], seconds[name] = measured(result.record), time.perf_counter() - started
        print(f"{name}: {duration(seconds[name])}", file=sys.stderr, flush=True)
    text, holds = report(found, seconds)
    print(text)
    if options.write is not None:
        options.write.write_text(inserted(options.write.read_text(), text, BEGIN, END))
    return 0 if holds else 1


def report(found: dict[str, Measured], seconds: dict[str, float]) -> tuple[str, bool]:
    """Return the tables as Markdown, and whether every claim holds."""
    lines = [_provenance(next(iter(found.values()))), "", *_accuracies(found, seconds), ""]
    holds = True
    lines += ["| sample | claim | measured | holds |", "|---|---|---|---|"]
    for name, what in found.items():
        for claim in LESSONS[name](what):
            holds = holds and claim.holds
            answer = "yes" if claim.holds else "**no**"
            lines.append(f"| `{name}` | {claim.text} | {claim.measured} | {answer} |")
    return "\n".join(lines), holds


def _provenance(found: Measured) -> str:
    started = found.record.started
    assert started is not None
    config = started.config
    return (
        f"{started.backbone_title} (`{config.backbone}`, SHA-256 `{config.weights_sha256[:12]}`), "
        f"{config.budget} budget, {config.seeds} seeds, {config.device} "
        f"({started.device_name}, {config.precision}, {config.threads} threads), torch "
        f"{started.versions.get('torch', '?')}, {datetime.now(UTC):%d %B %Y}."
    )


def _accuracies(found: dict[str, Measured], seconds: dict[str, float]) -> list[str]:
    """Return test accuracy, mean and 95% interval, strategy by sample."""
    lines = [f"| strategy | {' | '.join(f'`{name}`' for name in found)} |"]
    lines.append("|---" * (len(found) + 1) + "|")
    for name in TEXTBOOK_STRATEGIES:
        strategy = STRATEGIES[name]
        cells = [_cell(what.rows.get(name)) for what in found.values()]
        lines.append(f"| {strategy.title} | {' | '.join(cells)} |")
    floors = [_floor(what) for what in found.values()]
    lines.append(f"| *always the largest class* | {' | '.join(floors)} |")
    times = [duration(seconds[name]) for name in found]
    lines.append(f"| *seconds for all of it* | {' | '.join(times)} |")
    return lines


def _cell(row: StrategyRow | None) -> str:
    if row is None or row.test_accuracy is None or row.ci_low is None or row.ci_high is None:
        return "–"
    text = f"{percent(row.test_accuracy)} ({spread(100 * row.ci_low, 100 * row.ci_high)})"
    if row.forgetting_points:
        text += f", forgot {points(row.forgetting_points)}"
    return text


def _floor(found: Measured) -> str:
    assert found.record.started is not None
    return percent(found.record.started.majority_accuracy)


if __name__ == "__main__":
    sys.exit(main())
