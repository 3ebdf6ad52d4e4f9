"""What a comparison does otherwise than usual: its words, and its way through links and choices."""

import shlex
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.factories import comparison_config
from tl_core import cli, lesson_links, unusual
from tl_core.command import command
from tl_core.lesson_links import LinkSettings
from tl_core.store import Store
from tl_ui.state import Choice

CHANGES = {
    "input_size": 96,
    "augmentation": "colour",
    "regularisation": "early_stopping",
    "rate_range": (1e-05, 1.0),
}


def test_the_usual_is_not_worth_a_word():
    assert unusual.phrases(comparison_config()) == unusual.phrases(Choice()) == []


def test_all_that_is_unusual_is_said():
    said = unusual.phrases(comparison_config(**CHANGES))
    assert said == unusual.phrases(replace(Choice(), **CHANGES))
    assert said == [
        "images 96 pixels wide",
        "augmentation: crops, mirroring and colour",
        "regularisation: early stopping alone",
        "a range test of learning rates from 1e-05 to 1",
    ]


@pytest.mark.parametrize("name", CHANGES)
def test_the_command_says_what_was_asked_for_and_is_read_back(name):
    config = comparison_config(**{name: CHANGES[name]})
    words = shlex.split(command(config))[3:]
    options = vars(cli.parser().parse_args(words))
    given = options[name]
    assert (tuple(given) if name == "rate_range" else given) == CHANGES[name]
    plain = vars(cli.parser().parse_args(shlex.split(command(comparison_config()))[3:]))
    assert {k for k in CHANGES if options[k] != plain[k]} == {name}


def test_links_carry_it():
    wanted = LinkSettings(**CHANGES)
    query = lesson_links.query(wanted)
    assert query["rates"] == "1e-05,1.0" and query["input_size"] == "96"
    assert lesson_links.parse(query) == lesson_links.Link(wanted)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("input_size", "31", "from 32 to 512"),
        ("augmentation", "flip", "one of none"),
        ("regularisation", "all", "one of usual"),
        ("rates", "1", "two numbers above 0"),
        ("rates", "1,0.1", "at least 10 times"),
        ("rates", "nan,1", "two numbers above 0"),
    ],
)
def test_links_refuse_what_cannot_be(key, value, said):
    found = lesson_links.parse({key: value})
    assert said in found.notices[0] and found.settings == LinkSettings()


def test_every_such_link_is_described():
    text = (Path(__file__).parent.parent / "docs" / "lessons.md").read_text()
    for key in ("input_size", "augmentation", "regularisation", "rates"):
        assert f"`{key}`" in text


def finished_job(store: Store, **changes: object) -> str:
    from tests import scripted

    events = scripted.events()
    started = msgspec.structs.replace(
        events[0], config=msgspec.structs.replace(events[0].config, **changes)
    )
    job = store.create(started.config, "Digits", queued=False)
    store.append(job, [started, *events[1:]])
    store.finish(job, "done")
    return job


def test_a_finished_comparison_is_opened_again_with_it(app):
    from tests import scripted
    from tl_core import ingest

    sample = ingest.sample(next(iter(ingest.SAMPLES)))
    data = msgspec.structs.replace(
        scripted.config(scripted.Scenario()).data, fingerprint=sample.fingerprint
    )
    changes = {**CHANGES, "rate_range": None}
    page = app("lab", job=finished_job(Store(), data=data, **changes))
    next(b for b in page.button if b.label == "Change one thing").click().run()
    chosen = page.session_state["choice"]
    assert {name: getattr(chosen, name) for name in changes} == changes
    said = " ".join(one.value for one in (*page.markdown, *page.caption))
    assert "Fixed for all that train: images 96 pixels wide, augmentation" in said
    next(b for b in page.button if b.label == "Use the usual settings").click().run()
    assert unusual.phrases(page.session_state["choice"]) == []


def range_events():
    """Return the events of a comparison that ran through a range of rates."""
    from tests import scripted

    events = scripted.events(scripted.Scenario(seeds=1))
    config = msgspec.structs.replace(events[0].config, rate_range=(1e-5, 1.0))
    yield msgspec.structs.replace(events[0], config=config)
    for event in events[1:]:
        run = getattr(event, "run", None)
        kind = "range_test" if run is not None and run.strategy.solver == "steps" else None
        if kind and run.kind == "final":
            changed = {
                "run": msgspec.structs.replace(run, kind=kind, learning_rate=1e-5, highest_rate=1.0)
            }
            if hasattr(event, "result"):
                bare = {"test_images": (), "test_labels": (), "test_predictions": ()}
                changed["result"] = msgspec.structs.replace(event.result, **bare)
            yield msgspec.structs.replace(event, **changed)
        elif run is None and not hasattr(event, "step"):
            yield event


def test_a_range_test_shows_rates_and_no_result(app):
    store = Store()
    events = list(range_events())
    job = store.create(events[0].config, "Rates", queued=False)
    store.append(job, events)
    store.finish(job, "done")
    page = app("lab", job=job)
    said = " ".join(one.value for one in (*page.markdown, *page.caption))
    assert "the loss while the learning rate rises" in said and "Nothing was tested" in said
    assert "recommended" not in said
    (table,) = page.table
    assert "Full fine-tuning" in list(table.value["Strategy"])
    # Pages that need a result say so, and none breaks.
    for other in ("history", "trust"):
        app(other, job=job)
