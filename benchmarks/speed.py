"""Are we faster than what users would otherwise run, and as accurate?

    TL_REFERENCE_DATA=FOLDER python -m benchmarks.speed [--peers a,b | all] [--json OUT]

Peers and we in turn, each run a fresh process, on the same images, weights, number of images seen
and machine; imports excluded, decoding included. We begin every time with an empty data directory
and take the folder in again. A row is one strategy against one peer: per seed the peer and then a
comparison of ours; its ratio is the peer's seconds over ours. Accuracies are means over as many
seeds, ours from one comparison that is not timed. `five` is all strategies with all seeds in one
comparison, against the tutorial's loop doing them one by one, zero-shot once, since no seed changes
it; `second` is the same comparison at another rate, against its first run. Rows are kept in the
data directory as they are measured, so an interrupted run goes on.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.duels import EPOCHS, Bench, alone, duel, twice
from benchmarks.ours import Done
from benchmarks.rows import Row, table, write_json
from benchmarks.sides import PEERS, read_data
from tl_core import device

FIVE, SECOND = "five", "second"
ROWS = (*EPOCHS, FIVE, SECOND)

# A row, and our runs that it tells of.
Told = tuple[Row, list[Done]]


def strategy_row(bench: Bench, strategy: str, letter: str) -> Told:
    """Return the row of a strategy against a peer.

    It says why where a peer of another project cannot be had; raises RuntimeError where one of our
    own fails.
    """
    name = f"{strategy}, {bench.epochs_of(strategy)} epochs, against ({letter})"
    try:
        found = duel(bench, strategy, letter)
    except RuntimeError as error:
        if not PEERS[letter].package:
            raise
        return Row(f"{name}: did not run: {str(error).splitlines()[-1]}"), []
    ours = sum(done.seconds for done in found.ours)
    other = sum(done.seconds for done in found.peer)
    other_accuracy = float(np.mean([done.accuracy for done in found.peer]))
    return Row(name, other / ours, ours, other, found.ours_accuracy, other_accuracy), found.ours


def five_row(bench: Bench) -> Told:
    """Return the row of all strategies and seeds against the tutorial's loop.

    Of a strategy's own row its first epochs count, as many as every other strategy trains.
    """
    last = bench.five_epochs - 1
    runs = [[done.epochs[last] for done in duel(bench, name, "a").peer] for name in EPOCHS]
    rest = alone(bench)
    runs.append([(done.seconds, done.accuracy) for done in rest.scratch])
    runs.append([(rest.zero_shot.seconds, rest.zero_shot.accuracy)])
    other = sum(seconds for strategy in runs for seconds, _ in strategy)
    reached = float(np.mean([np.mean([right for _, right in strategy]) for strategy in runs]))
    ours = twice(bench).first
    name = f"five strategies x {bench.seeds} seeds, {bench.five_epochs} epochs, against (a)"
    row = Row(name, other / ours.seconds, ours.seconds, other, ours.mean_accuracy, reached)
    return row, [ours]


def second_row(bench: Bench) -> Told:
    """Return the row of the second comparison against the first."""
    found = twice(bench)
    first, second = found.first, found.second
    name = "second comparison, another rate, against the first"
    ratio = first.seconds / second.seconds
    row = Row(name, ratio, second.seconds, first.seconds, second.mean_accuracy, first.mean_accuracy)
    return row, [first, second]


def measured(bench: Bench, letters: Sequence[str], names: Sequence[str]) -> list[Told]:
    """Return the rows of the table, in its order."""
    told = [
        strategy_row(bench, strategy, letter)
        for letter in letters
        for strategy in EPOCHS
        if strategy in names
    ]
    if FIVE in names and "a" in letters:
        told.append(five_row(bench))
    if SECOND in names:
        told.append(second_row(bench))
    return told


def provenance(told: Sequence[Told], letters: Sequence[str]) -> str:
    """Return what the table was measured on, and what its letters stand for."""
    compute = device.resolve("auto", "float32", 0)
    precisions = sorted({done.precision for _, runs in told for done in runs})
    place = (
        f"{device.device_name(compute.device)}, torch {device.versions()['torch']}, "
        f"{compute.threads} threads; ours in {' and '.join(precisions) or '–'}."
    )
    return " ".join([place, *(f"({letter}) {PEERS[letter].title}." for letter in letters)])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is not kept yet and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peers", default="a,b", metavar="A,B", help=f"{','.join(PEERS)} or all")
    parser.add_argument("--rows", default=",".join(ROWS), metavar="A,B", help=",".join(ROWS))
    parser.add_argument("--data", type=Path, metavar="DIR", help="with folders train and val")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="SqueezeNet 1.1, safetensors")
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--epochs", type=int, metavar="N", help="for all rows, to try it")
    parser.add_argument("--json", type=Path, metavar="OUT")
    options = parser.parse_args(arguments)
    letters = list(PEERS) if options.peers == "all" else options.peers.split(",")
    names = options.rows.split(",")
    unknown = [name for name in [*letters, *names] if name not in (*PEERS, *ROWS)]
    if unknown:
        parser.error(f"there is no peer or row {unknown[0]}")
    bench = Bench(read_data(parser, options), options.seeds, options.epochs)
    told = measured(bench, letters, names)
    rows = [row for row, _ in told]
    print(table(rows, "other"), provenance(told, letters), sep="\n\n")
    write_json(rows, options.json)


if __name__ == "__main__":
    main()
