"""`python -m tl_core …`: everything the app can do, headless."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

from tl_core.answers import ASKED
from tl_core.config import BUDGETS, Augmentation, ClassBalance, NotPossible, Regularisation
from tl_core.strategies import STRATEGIES
from tl_core.sweep import SWEEP_NAMES

DONE, BAD_INPUT, INTERRUPTED = 0, 2, 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    root = argparse.ArgumentParser(prog="python -m tl_core", description=__doc__)
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_compare(commands.add_parser("compare", help="compare strategies on labelled images"))
    _add_sweep(commands.add_parser("sweep", help="vary one thing of a comparison"))
    record = commands.add_parser("record", help="record samples' default comparisons for the app")
    record.add_argument("samples", nargs="*", metavar="sample:NAME")
    record.add_argument("--all", action="store_true", help="every sample there is")
    record.add_argument("--into", type=Path, metavar="DIR", help="default: where the app looks")
    _add_report(commands.add_parser("report", help="write a comparison's report, table, script"))
    _add_questions(commands)
    _add_uses(commands)
    samples = commands.add_parser("samples", help="list the sample sets, the default first")
    samples.add_argument("--names", action="store_true", help="names only, one a line")
    models = commands.add_parser("models", help="list the pretrained models")
    models.add_argument("--json", action="store_true", help="the whole catalog as JSON")
    download = commands.add_parser("download-weights", help="fetch a model's weights")
    download.add_argument("model", metavar="NAME")
    draw = commands.add_parser("draw-source", help="draw a model's source images beforehand")
    draw.add_argument("model", nargs="?", metavar="NAME", help="default: the first model")
    convert = commands.add_parser("convert-weights", help="turn a .pth into .safetensors")
    convert.add_argument("source", type=Path, metavar="IN.pth")
    convert.add_argument("target", type=Path, metavar="OUT.safetensors")
    _add_room(commands.add_parser("room", help="open the app to a room of people"))
    _add_store(commands)
    commands.add_parser("doctor", help="say what this machine has, and what to mend")
    status = commands.add_parser("status", help="say how the server is: queue, people, disk")
    status.add_argument("--json", action="store_true", help="all of it as JSON")
    status.add_argument("--prometheus", action="store_true", help="in a monitor's text format")
    return root


def _add_store(commands: Any) -> None:
    backup = commands.add_parser("backup", help="write a complete copy of the history")
    backup.add_argument("file", type=Path, metavar="FILE")
    restore = commands.add_parser("restore", help="go back to a backup, or begin an empty history")
    which = restore.add_mutually_exclusive_group(required=True)
    which.add_argument("file", nargs="?", metavar="FILE", help="a backup, or `latest`")
    which.add_argument("--empty", action="store_true", help="begin an empty history")
    clean = commands.add_parser("clean", help="remove what nobody needs any more")
    add = clean.add_argument
    add("--older-than", type=_days, metavar="DAYS", help="also jobs that ended before so many days")
    add("--cache", action="store_true", help="also all that can be computed again")
    add("--dry-run", action="store_true", help="say what would go, remove nothing")


def _days(text: str) -> float:
    days = float(text)
    if days < 0:
        raise argparse.ArgumentTypeError("days are counted back from now: 0 or more")
    return days


def _add_compare(compare: argparse.ArgumentParser) -> None:
    # What is not given stays None: `Request` has the defaults, and `sweep --like` the comparison's.
    add = compare.add_argument
    add("data", metavar="DATA", help="folder, zip, CSV, sample:NAME, or dataset:FINGERPRINT")
    add(
        "--backbone",
        metavar="NAME",
        help="a model of `models`; default: the first whose weights are here",
    )
    add("--weights", metavar="FILE", help="a .safetensors file, or sha256:PREFIX of a kept one")
    add(
        "--source-probe",
        metavar="DIR",
        help="labelled images of the source task, or `none`; default: drawn, if the model can",
    )
    add(
        "--strategies",
        metavar="A,B",
        help=f"of {', '.join(STRATEGIES)}; default all, `none` leaves only what --freeze names",
    )
    add("--freeze", metavar="BLOCKS", help="add a strategy of your own that freezes these blocks")
    add("--class-map", metavar="MAP.json", help="target class to source classes; file or JSON")
    add("--seeds", type=int, metavar="N")
    add("--budget", choices=tuple(BUDGETS))
    add("--steps", type=int, metavar="N", help="steps of 32 images, instead of the budget's")
    add("--learning-rate", type=float, metavar="R", help="of the backbone, for all that train")
    add(
        "--class-balance",
        choices=get_args(ClassBalance),
        help="make up for rare classes in training, by loss weights or by drawing them more often",
    )
    add("--labels-per-class", type=int, metavar="N", help="train with so many images of a class")
    add("--settings", metavar="FILE", help="rates that trials chose, by strategy; file or JSON")
    add("--input-size", type=int, metavar="N", help="pixels across at which images are seen")
    add(
        "--augmentation",
        choices=get_args(Augmentation),
        help="how training images are varied",
    )
    add(
        "--regularisation",
        choices=get_args(Regularisation),
        help="what holds training back: the usual, nothing, or one thing alone",
    )
    add(
        "--rate-range",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="train nothing, but run each strategy through these learning rates",
    )
    add("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    add("--json", type=Path, metavar="OUT", help="write the result as JSON")
    add("--name", help="how History calls it")


def _add_sweep(sweep: argparse.ArgumentParser) -> None:
    add = sweep.add_argument
    add("what", metavar="WHAT", choices=SWEEP_NAMES, help=f"of {', '.join(SWEEP_NAMES)}")
    _add_compare(sweep)
    add("--values", metavar="A,B", help="points of the axis, instead of the usual ones")
    add(
        "--like",
        metavar="RUN",
        help="a comparison whose strategies, seeds, model and chosen rates are taken, where no "
        "other option says otherwise; or `latest`",
    )


def _add_report(report: argparse.ArgumentParser) -> None:
    add = report.add_argument
    add("run", metavar="RUN", help="a comparison's id or its first letters, or `latest`")
    add("--out", type=Path, metavar="FILE.html", help="all of it, to read without the app")
    add("--csv", type=Path, metavar="FILE", help="the strategy table")
    add(
        "--json",
        type=Path,
        metavar="FILE",
        help="all that was found, flags and calibration too",
    )
    add("--predictions", type=Path, metavar="FILE", help="a CSV line for each test image")
    add("--script", type=Path, metavar="FILE.py", help="Python that gives the numbers again")


def _add_room(room: argparse.ArgumentParser) -> None:
    add = room.add_argument
    add("--port", type=int, default=8501, metavar="N")
    add("--code", help="of up to 32 letters and digits; default: the last room's, else a new one")
    add("--new-code", action="store_true", help="not the last room's code")
    add(
        "--address",
        default="0.0.0.0",
        help="listen on this address of the machine only, 127.0.0.1 behind a reverse proxy; "
        "default: on all",
    )
    add("--link", metavar="URL", help="what participants open, if a reverse proxy is in front")
    add("--yes", action="store_true", help="do not ask whether to open it")


def _add_questions(commands: Any) -> None:
    rank = commands.add_parser("rank", help="rank local models on the training images, untrained")
    rank.add_argument("--all-scores", action="store_true", help="not only those the app shows")
    check = commands.add_parser("check", help="look for faults in data; compare with the source")
    stress = commands.add_parser("stress", help="measure what each preprocessing mistake costs")
    stress.add_argument("--variants", metavar="A,B", help="mistakes to make; default all")
    shift = commands.add_parser("shift", help="estimate the class balance of unlabelled images")
    for command in (rank, check, stress, shift):
        add = command.add_argument
        add("data", metavar="DATA", help="folder, zip, CSV, sample:NAME, or dataset:FINGERPRINT")
        if command is shift:
            add("unlabelled", metavar="IMAGES", help="a folder or zip of images, folders ignored")
        if command is not rank:
            add("--backbone", metavar="NAME", help="default: the first whose weights are here")
            add("--weights", metavar="FILE", help="a .safetensors file, or sha256:PREFIX")
            add("--source-probe", metavar="DIR", help="labelled source images, or `none`")
            add("--class-map", metavar="MAP.json", help="target class to source classes")
        add("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
        add("--json", type=Path, metavar="OUT", help="write the answer as JSON")


def _add_uses(commands: Any) -> None:
    predict = commands.add_parser("predict", help="predict images with a finished model")
    export = commands.add_parser("export", help="write a finished model as files, checked")
    between = commands.add_parser(
        "interpolate", help="measure the models between the linear probe and a fine-tuned one"
    )
    for command in (predict, export, between):
        add = command.add_argument
        add("run", metavar="RUN", help="a comparison's id, its first letters, or `latest`")
        if command is predict:
            add("images", metavar="IMAGES", help="a folder or zip of images, folders ignored")
            add("--csv", type=Path, required=True, metavar="OUT", help="one line an image")
        elif command is export:
            add("--to", type=Path, required=True, metavar="DIR", help="where the files go")
        else:
            add(
                "--norm-statistics",
                action="store_true",
                help="estimate batch normalisation's statistics again between the ends",
            )
            add("--json", type=Path, metavar="OUT", help="write the answer as JSON")
        usual = "LP-FT, else what forgot most" if command is between else "the recommended one"
        add("--strategy", metavar="NAME", help=f"default: {usual}")
        add("--seed", type=int, default=1, metavar="N", help="the first by default")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (2 with one clear sentence on bad input)."""
    options = parser().parse_args(arguments)
    # Late: each command imports what it needs, and `samples` should not wait for torch.
    from tl_core.ingest import BadInput
    from tl_core.store import StoreError
    from tl_core.weights import BadWeights

    try:
        return _COMMANDS[options.command](options)
    except (BadInput, BadWeights, NotPossible, StoreError) as error:
        print(f"error: {error}", file=sys.stderr)
        for detail in getattr(error, "details", ()):
            print(f"  {detail}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("Interrupted. What was finished is kept; the same command goes on.", file=sys.stderr)
        return INTERRUPTED


def _compare(options: argparse.Namespace) -> int:
    from tl_core import compare_command

    return compare_command.compare(options)


def _sweep(options: argparse.Namespace) -> int:
    from tl_core import sweep_command

    return sweep_command.sweep(options)


def _ask(options: argparse.Namespace) -> int:
    from tl_core import ask_command

    return ask_command.ask(options)


def _use(options: argparse.Namespace) -> int:
    from tl_core import use_command

    uses = {
        "predict": use_command.predict,
        "export": use_command.export,
        "interpolate": use_command.interpolate,
    }
    return uses[options.command](options)


def _record(options: argparse.Namespace) -> int:
    from tl_core import record_command

    return record_command.record(options)


def _report(options: argparse.Namespace) -> int:
    from tl_core import report_command

    return report_command.write(options)


def _samples(options: argparse.Namespace) -> int:
    from tl_core.ingest import SAMPLES

    for name, sample in SAMPLES.items():
        print(name if options.names else f"{name:10} {sample.title}: {sample.summary}")
        if not options.names:
            print(f"{'':10} {sample.lesson}")
    return DONE


def _models(options: argparse.Namespace) -> int:
    import msgspec

    from tl_core import catalog, weights
    from tl_core.wording import count

    rows = catalog.catalog().values()
    if options.json:
        print(json.dumps([msgspec.to_builtins(row) for row in rows], indent=1))
        return DONE
    print(f"{'name':20} {'parameters':>10} {'FLOPs':>8} {'MB':>6} {'top-1':>6}  weights here")
    for row in rows:
        here = "yes" if weights.available(row.name) else "no"
        print(
            f"{row.name:20} {count(row.parameters):>10} {count(row.flops):>8} "
            f"{row.weights.megabytes:6.0f} {row.weights.top1:6.1f}  {here}"
        )
    return DONE


def _download(options: argparse.Namespace) -> int:
    from tl_core import catalog, weights
    from tl_core.terminal import Bar

    row = catalog.find(options.model)
    with Bar(sys.stderr) as bar:
        found = weights.download(row, lambda share: bar.show(f"Downloading {row.title}", share))
    print(f"{row.title}: {found.megabytes:.0f} MB kept, SHA-256 {found.sha256}")
    return DONE


def _draw(options: argparse.Namespace) -> int:
    from tl_core import catalog, weights
    from tl_core.ingest import source_probe
    from tl_core.terminal import Bar

    row = catalog.find(options.model or weights.FIRST_MODEL)
    with Bar(sys.stderr) as bar:
        found = source_probe.drawn(row, bar.show)
    print(f"{len(found.images):,} source images of {row.title}: dataset:{found.fingerprint[:16]}")
    return DONE


def _convert(options: argparse.Namespace) -> int:
    from tl_core import weights

    weights.convert(options.source, options.target)
    print(f"Written: {options.target}")
    return DONE


def _room(options: argparse.Namespace) -> int:
    from tl_core import room_command

    return room_command.open_room(options)


def _keep(options: argparse.Namespace) -> int:
    from tl_core import store_command

    if options.command == "restore" and options.empty:
        return store_command.begin_empty(options)
    return {
        "backup": store_command.backup,
        "restore": store_command.restore,
        "clean": store_command.clean,
    }[options.command](options)


def _doctor(options: argparse.Namespace) -> int:
    from tl_core import doctor

    return int(doctor.report())


def _status(options: argparse.Namespace) -> int:
    from tl_core import status_command

    return status_command.status(options)


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "compare": _compare,
    "sweep": _sweep,
    **dict.fromkeys(ASKED, _ask),
    **dict.fromkeys(("predict", "export", "interpolate"), _use),
    "record": _record,
    "report": _report,
    "samples": _samples,
    "models": _models,
    "download-weights": _download,
    "draw-source": _draw,
    "convert-weights": _convert,
    "room": _room,
    **dict.fromkeys(("backup", "restore", "clean"), _keep),
    "doctor": _doctor,
    "status": _status,
}
