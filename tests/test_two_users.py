"""Two people in one room: on no page does anything of the one reach the other."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from tests import brought, replies, rooms, scripted
from tests.scripted import Scenario
from tl_core import datasets, ingest, owners, weights
from tl_core.catalog import catalog
from tl_core.config import ComparisonConfig
from tl_core.datasets import Dataset
from tl_core.events import Answered
from tl_core.limits import BadInput
from tl_core.store import Store, Tags
from tl_core.sweep import Sweep, SweepPoint
from tl_core.weights import FIRST_MODEL
from tl_ui.identity import Who
from tl_ui.state import Choice

ANNA, BEN = Who("a" * 32, "Annanick"), Who("b" * 32, "Bennick")
# Stands in the name of everything that Anna brought or made.
SECRET = "Annasecret"


@dataclass(frozen=True)
class World:
    """What Anna has in the room."""

    data: Dataset
    probe: Dataset
    weights: str
    jobs: dict[str, str]

    @property
    def choice(self) -> Choice:
        """What Anna works with; anybody else may only try to."""
        return Choice(
            dataset=self.data.fingerprint,
            probe=self.probe.fingerprint,
            backbone=FIRST_MODEL,
            weights=self.weights,
        )

    @property
    def hers(self) -> list[str]:
        """What must not be on anybody else's screen, however it is written."""
        prints = [self.data.fingerprint, self.probe.fingerprint, self.weights, *self.jobs.values()]
        return [SECRET, SECRET.casefold(), ANNA.owner, *(text[:8] for text in prints)]


@pytest.fixture(scope="module")
def world(_sampled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A room with Anna's data, weights, comparisons and sweep in it, and with Ben."""
    root = tmp_path_factory.mktemp("room")
    shutil.copytree(_sampled, root / "home", copy_function=os.link)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TL_HOME", str(root / "home"))
        patch.setenv("TL_ROOM", "1")
        patch.setattr("tl_ui.runner.keep_alive", lambda: None)
        patch.setattr("tl_ui.identity.cookies", dict)
        rooms.open_room()
        with owners.acting(ANNA.owner):
            data = brought.dataset(root, SECRET)
            probe = brought.dataset(root, f"{SECRET}probe", "probe")
            weights = brought.weights_file(FIRST_MODEL, f"{SECRET} weights").sha256
        yield World(data, probe, weights, _jobs(data, probe, weights))


def _jobs(data: Dataset, probe: Dataset, weights: str) -> dict[str, str]:
    """Have Anna compare, sweep, ask and wait; return her jobs' ids by what they are."""
    store, found = Store(), {}
    view = store.seen_by(ANNA.owner, shares=True)
    tags = Tags(class_code=rooms.CODE, participant=ANNA.name, guess="full_fine_tuning")
    scenario = Scenario(name=f"{SECRET} pictures", seeds=1)
    events = scripted.events(scenario)
    config = _brought(scripted.config(scenario), data, probe, weights)
    found["done"] = view.create(events[0].config, f"{SECRET} done", tags=tags)
    store.claim()
    store.append(found["done"], events)
    store.finish(found["done"], "done")
    found["failed"] = view.create(config, f"{SECRET} failed", tags=tags)
    store.claim()
    store.finish(found["failed"], "failed", f"{SECRET} reason")
    found["check"] = view.create(config, f"{SECRET} check", kind="check")
    store.claim()
    store.append(found["check"], [Answered(answer=replies.soundness())])
    store.finish(found["check"], "done")
    points = (SweepPoint(label=f"{SECRET} point", value=0.1, config=config),)
    sweep = msgspec.to_builtins(Sweep(name="rate", points=points))
    found["sweep"] = view.create(
        config, f"{SECRET} sweep", kind="sweep", request={"sweep": sweep}, tags=tags
    )
    found["waits"] = view.create(config, f"{SECRET} waits", tags=tags)
    store.close()
    return found


def _brought(
    config: ComparisonConfig, data: Dataset, probe: Dataset, weights: str
) -> ComparisonConfig:
    own = msgspec.structs.replace(
        config.data,
        fingerprint=data.fingerprint,
        name=data.name,
        probe=probe.fingerprint,
        probe_name=probe.name,
    )
    return msgspec.structs.replace(config, data=own, weights_sha256=weights, backbone=FIRST_MODEL)


@pytest.mark.parametrize("page", rooms.pages())
def test_nothing_of_one_person_reaches_another(world: World, page: str) -> None:
    # Her session comes first, and fills every cache.
    for address in ({}, {"job": world.jobs["done"]}):
        hers = rooms.everything(rooms.session(page, ANNA, world.choice, **address))
        assert SECRET in hers
    # He has her ids, in the address and as if he had chosen them.
    for name in ("done", "waits"):
        at = rooms.session(page, BEN, world.choice, job=world.jobs[name])
        his = rooms.everything(at).replace(f'value: "{world.jobs[name]}"', "")
        assert [text for text in world.hers if text in his] == []
        assert BEN.name in his


def test_the_same_images_have_each_persons_own_names(world: World, tmp_path: Path) -> None:
    root, mine = brought.pictures(tmp_path, "alike"), {}
    for who in (ANNA, BEN):
        with owners.acting(who.owner):
            mine[who] = ingest.ingest_path(root, name=f"{who.name}calls it so")
    (fingerprint,) = {data.fingerprint for data in mine.values()}
    for who, other in ((ANNA, BEN), (BEN, ANNA), (ANNA, BEN)):
        for page in ("data", "lab", "model"):
            sent = rooms.everything(rooms.session(page, who, Choice(dataset=fingerprint)))
            assert f"{who.name}calls" in sent
            assert f"{other.name}calls" not in sent


def test_what_one_person_renames_or_deletes_stays_the_others(world: World, tmp_path: Path) -> None:
    root = brought.pictures(tmp_path, "pair")
    for who in (ANNA, BEN):
        with owners.acting(who.owner):
            data = ingest.ingest_path(root, name=f"{who.name}calls it so")
    with owners.acting(ANNA.owner):
        datasets.delete(data.fingerprint)
    chosen = Choice(dataset=data.fingerprint)
    assert f"{BEN.name}calls" in rooms.everything(rooms.session("data", BEN, chosen))
    assert f"{ANNA.name}calls" not in rooms.everything(rooms.session("data", ANNA, chosen))


def test_what_lies_with_the_samples_but_is_the_teachers_stays_there(
    world: World, tmp_path: Path
) -> None:
    teacher = Who(owners.LOCAL, "Teacher", teacher=True)
    with owners.acting(owners.LOCAL):
        data = brought.dataset(tmp_path, "Teacherssecret", shade=7)
    chosen = Choice(dataset=data.fingerprint)
    for page in ("data", "lab"):
        assert "Teacherssecret" in rooms.everything(rooms.session(page, teacher, chosen))
        assert "Teacherssecret" not in rooms.everything(rooms.session(page, BEN, chosen))


def test_nobody_changes_the_sample_images_for_the_others(world: World) -> None:
    key = next(one.key for one in rooms.session("data", BEN).toggle if "mirror" in (one.key or ""))
    assert rooms.session("data", BEN).toggle(key=key).disabled
    teacher = Who(owners.LOCAL, "Teacher", teacher=True)
    assert not rooms.session("data", teacher).toggle(key=key).disabled


def test_the_teacher_opens_what_anybody_did_but_not_their_images(world: World) -> None:
    teacher = Who(owners.LOCAL, "Teacher", teacher=True)
    sent = rooms.everything(rooms.session("lab", teacher, job=world.jobs["done"]))
    assert f"{SECRET} done" in sent
    with owners.acting(owners.LOCAL), pytest.raises(BadInput):
        datasets.load(world.data.fingerprint)


def test_the_class_sees_who_got_what_and_not_on_which_images(world: World) -> None:
    at = rooms.session("lessons", BEN)
    sent = rooms.everything(at)
    assert ANNA.name in sent
    assert "images of their own" in sent
    assert not any(text in sent for text in world.hers)


def test_a_result_on_sample_images_opens_for_the_class(world: World) -> None:
    store = Store()
    with owners.acting(BEN.owner):
        data = ingest.sample(next(iter(ingest.SAMPLES)))
    file = weights.bundled(catalog()[FIRST_MODEL])
    assert file is not None
    scenario = Scenario(name=data.name, fingerprint=data.fingerprint, seeds=1, probe=0)
    config = msgspec.structs.replace(
        scripted.config(scenario), backbone=FIRST_MODEL, weights_sha256=file.sha256
    )
    tags = Tags(class_code=rooms.CODE, participant=ANNA.name)
    job = store.seen_by(ANNA.owner, shares=True).create(config, f"{SECRET} name", tags=tags)
    leader = store.source(job)
    assert leader != job
    for waiting in ("sweep", "waits"):
        store.request_cancel(world.jobs[waiting])
    assert store.claim().id == leader
    store.append(leader, scripted.events(scenario))
    store.finish(leader, "done")
    sent = rooms.everything(rooms.session("lab", BEN, job=job))
    assert "no longer here" not in sent
    assert "Feature extraction" in sent
    assert SECRET not in sent
    store.close()


def test_a_stranger_gets_no_page(world: World) -> None:
    for page in rooms.pages():
        at = rooms.session(page, None, world.choice, job=world.jobs["done"])
        sent = rooms.everything(at).replace(f'value: "{world.jobs["done"]}"', "")
        assert [text for text in (*world.hers, ANNA.name, BEN.name) if text in sent] == []
        assert [field.label for field in at.text_input] == ["Code of the room", "Your nickname"]
