"""What if: one setting of a finished comparison changed, run again, and the difference alone."""

import streamlit as st

from tl_core import estimate, one_change, settings
from tl_core.catalog import catalog
from tl_core.config import ComparisonConfig
from tl_core.effects import Effect
from tl_core.one_change import CHANGES, Change, Facts, Value
from tl_core.record import Record
from tl_core.store import Comparison
from tl_core.wording import duration, number_of
from tl_ui import current, launch, look_differences, theme, trust_parts
from tl_ui.follow import follow
from tl_ui.looked import Looked
from tl_ui.widgets import plain_label, safe_label

_LOOK_BACK, _LOOK_SECONDS = 200, 1.5
FROM = "changed_from"


def section(of: Looked) -> None:
    """Offer one change, and show what the changes so far did."""
    earlier = _before(of)
    if earlier is not None:
        _told_before(of, earlier)
    _offer(of)
    made = _made(of)
    if any(job.active for job in made):
        st.fragment(_watch, run_every=_LOOK_SECONDS)(of)
    for job in made:
        if job.status == "done":
            _told(of, job)


def _before(of: Looked) -> Comparison | None:
    """Return the comparison that this one was changed from, if it is still there."""
    wanted = of.job.request.get(FROM)
    return current.store().get(str(wanted)) if wanted else None


def _made(of: Looked) -> list[Comparison]:
    """Return the comparisons that were changed from this one, newest first."""
    jobs = current.store().list(limit=_LOOK_BACK, kind="compare")
    return [job for job in jobs if job.request.get(FROM) == of.job.id]


def _offer(of: Looked) -> None:
    """Let one setting and its new value be chosen; say how long it takes; run it."""
    assert of.found.started is not None
    config, row = of.found.started.config, catalog().get(of.found.started.config.backbone)
    if row is None:
        return
    facts = Facts(row, min(of.facts.class_counts, default=0))
    name = st.pills(
        "Change",
        list(CHANGES),
        format_func=lambda each: CHANGES[each].title,
        key=of.key("change_what"),
        wrap=True,
    )
    if name is None:
        st.caption(
            "Choose one setting. The shown strategies run again with it, everything else stays, "
            "and you see only what changed."
        )
        return
    change = CHANGES[name]
    values = one_change.values(change, config, facts)
    # By place: a value may be None, and so is what is not chosen.
    place = st.pills(
        f"{change.title} is {change.say(getattr(config, change.field), facts)}. Change it to",
        range(len(values)),
        format_func=lambda each: change.say(values[each], facts),
        key=of.key(f"change_to_{name}"),
        wrap=True,
    )
    if place is not None:
        _run(of, change, values[place], facts)


def _run(of: Looked, change: Change, value: Value, facts: Facts) -> None:
    assert of.found.started is not None
    started = of.found.started
    shown = [s for s in of.found.strategies if s.name in of.shown]
    wanted = one_change.changed(started.config, change, value, shown)
    planned = launch.plan(wanted, estimate.counts_of(started))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Run the change",
            type="primary",
            icon=":material/play_arrow:",
            key=of.key("change_run"),
            on_click=_start,
            args=(of, wanted, f"{of.job.name}, {change.title.lower()} {change.say(value, facts)}"),
            help="As a comparison of its own, linked with this one. Finished runs are taken over.",
        )
        if planned is not None:
            st.caption(f"about {duration(planned.seconds)}", width="content")


def _start(of: Looked, wanted: ComparisonConfig, name: str) -> None:
    """Queue the changed comparison; the page stays with the one that it was changed from."""
    launch.start(wanted, plain_label(name, 110), request={FROM: of.job.id})
    st.query_params["job"] = of.job.id


def _watch(of: Looked) -> None:
    """Show how far the changed comparisons are; when one ends, the whole page shows what it did."""
    store = current.store()
    active = [job for job in _made(of) if job.active]
    before = st.session_state.setdefault(of.key("change_active"), len(active))
    st.session_state[of.key("change_active")] = len(active)
    if len(active) != before or not active:
        st.rerun()
    for job in active:
        waits = "Waiting for earlier jobs" if job.status == "queued" else "Running"
        done = len(follow(job.id).found.ended)
        said = f"{waits}: {safe_label(job.name, 90)}, {number_of(done, 'run')} finished"
        st.progress((job.progress.fraction or 0.0) if job.progress else 0.0, text=said)
        st.button(
            "Cancel", key=f"cancel_{job.id[:8]}", on_click=store.request_cancel, args=(job.id,)
        )


def _told_before(of: Looked, earlier: Comparison) -> None:
    """Say of a changed comparison what it was changed from, and what that did."""
    before = follow(earlier.id).found
    st.markdown("**This comparison was changed from another one**")
    _difference(of, before, of.found, "before", earlier.id)
    _link(earlier, "Open the one before")


def _told(of: Looked, job: Comparison) -> None:
    """Show what one change did, and nothing else."""
    after = follow(job.id).found
    st.markdown(f"**{safe_label(_words(of, after))}**")
    _difference(of, of.found, after, "after", job.id)
    _link(job, "Open the changed comparison")


def _words(of: Looked, after: Record) -> str:
    """Return the settings that were changed, strategies apart."""
    assert of.found.started is not None
    if after.started is None:
        return "Changed"
    told = settings.differing(of.found.started.config, after.started.config)
    said = [f"{one.title}: {one.first} → {one.second}" for one in told if one.title not in _ASIDE]
    return "; ".join(said) or "The same settings"


# The changed comparison has the strategies that were shown.
_ASIDE = ("Strategies",)


def _difference(of: Looked, before: Record, after: Record, side: str, job: str) -> None:
    found = [
        one
        for one in look_differences.measured(f"{of.subject.key} {side} {job}", before, after)
        if one.strategy in of.shown
    ]
    if not found:
        st.caption("The two have no shown strategy in common on the same test images.")
        return
    seconds = {one.strategy: (_seconds(before, one), _seconds(after, one)) for one in found}
    trust_parts.table(
        {
            **look_differences.effect_columns(found, ("better after", "worse after")),
            "Seconds before": [duration(seconds[one.strategy][0]) for one in found],
            "Seconds after": [duration(seconds[one.strategy][1]) for one in found],
        },
        {},
        "After the change minus before it, by strategy",
        of.key(f"change_{job[:8]}"),
    )
    st.caption(
        "After minus before, in points, on the test images and seeds that both tested, with "
        "paired 95% intervals. An interval that contains 0: no difference found."
    )


def _seconds(found: Record, one: Effect) -> float | None:
    runs = found.final(one.strategy).values()
    times = [run.result.train_seconds for run in runs]
    return sum(times) / len(times) if times else None


def _link(job: Comparison, label: str) -> None:
    st.page_link(
        theme.LAB, label=label, icon=":material/arrow_forward:", query_params={"job": job.id}
    )
