"""One pitfall, open: predict, run, see, understand, and back to the start."""

import streamlit as st

from tl_core import figures, pitfall_jobs, weights
from tl_core.catalog import find
from tl_core.ingest import SAMPLES
from tl_core.outcomes import NotMeasured, Outcome
from tl_core.pitfalls import PITFALLS, Pitfall
from tl_ui import current, pitfall_run, pitfall_views, plots, theme
from tl_ui.card_deck import PITFALL_DECK, CardState
from tl_ui.pitfall_run import Known, Parts
from tl_ui.widgets import problem, safe_label

_PAGES = {
    "lab": (theme.LAB, "Compare strategies on your images"),
    "data": (theme.DATA, "Check your images on the data page"),
    "model": (theme.MODEL, "Look at models on the model page"),
}


def section(pitfall: Pitfall, there: Known) -> None:
    """Show a card with all its steps."""
    state = PITFALL_DECK.of(pitfall)
    found = pitfall_run.parts(pitfall, state.own, there)
    seen = state.shown and pitfall_run.is_done(found)
    with st.container(border=True, key="pitfall"):
        _head(pitfall)
        _predict(pitfall, state, seen)
        _run(pitfall, state, found, seen)
        if seen:
            _see(pitfall, state, found)
        else:
            with st.expander("Explain it without running", icon=":material/school:"):
                _explain(pitfall, None)
        _leave(pitfall, state)


def _head(pitfall: Pitfall) -> None:
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        st.subheader(f"{pitfall.icon} {pitfall.title}", anchor=False, width="content")
        st.button(
            "All pitfalls",
            key="pitfall_close",
            icon=":material/apps:",
            type="tertiary",
            on_click=PITFALL_DECK.go,
            args=(None,),
        )
    st.markdown(f"**{pitfall.question}**")


def _predict(pitfall: Pitfall, state: CardState, seen: bool) -> None:
    key = f"guess_{pitfall.name}"
    setting = pitfall.setting
    if state.own:
        setting = f"Your images: {safe_label(current.dataset().name, 60)}."
    st.markdown(f":material/counter_1: **Predict.** {setting} {pitfall.predict}")
    st.session_state[key] = state.guess
    st.pills(
        "Your prediction",
        range(len(pitfall.options)),
        format_func=lambda place: pitfall.options[place],
        key=key,
        disabled=seen,
        label_visibility="collapsed",
        on_change=lambda: PITFALL_DECK.change(pitfall, guess=st.session_state[key]),
    )


def _run(pitfall: Pitfall, state: CardState, found: Parts, seen: bool) -> None:
    st.markdown(f":material/counter_2: **Run.** {pitfall.runs}")
    row = find(weights.FIRST_MODEL)
    if pitfall.experiment and not weights.available(row.name):
        problem(weights.missing(row))
        return
    if pitfall_run.is_active(found):
        pitfall_run.watch(pitfall, state.own)
        return
    for reason in dict.fromkeys(job.reason for job in found if job and job.status == "failed"):
        problem(reason)
    if not seen:
        _own_data(pitfall, state)
        _start_button(pitfall, state)


def _own_data(pitfall: Pitfall, state: CardState) -> None:
    """Offer the data set of the Lab where it is another one than the card's."""
    data, sample = current.dataset(), current.known_sample(pitfall.sample)
    if not pitfall.own_data or (sample and sample.fingerprint == data.fingerprint):
        return
    key = f"own_{pitfall.name}"
    st.session_state[key] = state.own
    st.toggle(
        f"On my data: {safe_label(data.name, 60)}",
        key=key,
        on_change=lambda: PITFALL_DECK.change(pitfall, own=st.session_state[key]),
        help="The data set that is chosen in the Lab, with the bundled model. Large sets take "
        "longer than the sample.",
    )


def _start_button(pitfall: Pitfall, state: CardState) -> None:
    name = current.dataset().name if state.own else SAMPLES[pitfall.sample].title
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Run it" if pitfall.experiment else "Look it up",
            key="pitfall_run",
            type="primary",
            icon=":material/play_arrow:",
            on_click=pitfall_run.start,
            args=(pitfall, state.own),
        )
        if pitfall.experiment:
            model = find(weights.FIRST_MODEL).title
            st.caption(
                f"{safe_label(name, 60)}, {model}; usually under half a minute.", width="content"
            )


def _see(pitfall: Pitfall, state: CardState, found: Parts) -> None:
    st.markdown(":material/counter_3: **See.**")
    try:
        shown = pitfall_run.outcome(pitfall, found)
    except NotMeasured as missing:
        st.info(safe_label(missing, 400), icon=":material/info:")
        _explain(pitfall, None)
        return
    _chart(pitfall, shown)
    lead = "**It shows.**" if shown.shown else f"**{shown.otherwise}**"
    st.markdown(f"{lead} {safe_label(shown.sentence, 600)}")
    _judgement(pitfall, state, shown)
    if pitfall.view == "balance":
        pitfall_views.balance(found)
    _explain(pitfall, shown if not state.own else None)
    _source(pitfall, found)


def _chart(pitfall: Pitfall, shown: Outcome) -> None:
    if pitfall.view == "licences":
        pitfall_views.licences()
    if shown.dots:
        figure = figures.interval_dots(shown.dots, shown.axis, shown.shares)
        plots.show(
            figure,
            key=f"chart_{pitfall.name}",
            file=f"pitfall-{pitfall.name.replace('_', '-')}",
            alt=f"{shown.axis}: {figures.described(shown.dots)}",
        )


def _judgement(pitfall: Pitfall, state: CardState, shown: Outcome) -> None:
    """Say whether the prediction was right."""
    measured = pitfall.options[pitfall.option(shown.measure.value)]
    if state.guess is None:
        st.markdown(f":material/lightbulb: Measured: **{measured}**. You made no prediction.")
        return
    guess = pitfall.options[state.guess]
    match pitfall.judge(state.guess, shown.measure):
        case "right":
            st.success(f"**Your prediction was right:** {guess}.", icon=":material/check_circle:")
        case "not excluded":
            st.info(
                f"**Your prediction cannot be excluded:** {guess}. The measured value says "
                f"“{measured}”, but its interval reaches as far as yours.",
                icon=":material/help:",
            )
        case "wrong":
            st.warning(
                f"**Not what you predicted.** You said “{guess}”; measured: “{measured}”.",
                icon=":material/lightbulb:",
            )


def _explain(pitfall: Pitfall, shown: Outcome | None) -> None:
    st.markdown(f":material/counter_4: **Understand.** {pitfall.what}")
    if shown is not None and shown.shown:
        st.markdown(f"**Why here.** {pitfall.here}")
    st.markdown(f"**How to recognise it.** {pitfall.recognise}")
    st.markdown(f"**What to do.** {pitfall.remedy}")


def _source(pitfall: Pitfall, found: Parts) -> None:
    """Lead to the whole comparison and give the commands."""
    compared = [job for job in found if job is not None and job.kind == "compare"]
    with st.container(horizontal=True):
        for place, job in enumerate(compared):
            number = f" {place + 1}" if len(compared) > 1 else ""
            st.page_link(
                theme.LAB,
                label=f"Open comparison{number} in the Lab",
                icon=":material/experiment:",
                query_params={"job": job.id},
            )
    if not pitfall.experiment:
        return
    with st.expander("Commands that give these numbers again", icon=":material/terminal:"):
        lines = pitfall_jobs.commands(pitfall)
        st.code("\n".join(lines), language="bash", wrap_lines=True)


def _leave(pitfall: Pitfall, state: CardState) -> None:
    names = list(PITFALLS)
    after = PITFALLS[names[(names.index(pitfall.name) + 1) % len(names)]]
    page, label = _PAGES[pitfall.page]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Undo: back to the start",
            key="pitfall_undo",
            icon=":material/undo:",
            disabled=state == CardState(),
            on_click=PITFALL_DECK.restart,
            args=(pitfall,),
            help="Forgets the prediction and hides the result. What you chose in the Lab was "
            "never touched; finished runs stay in the history.",
        )
        st.button(
            f"Next: {after.title}",
            key="pitfall_next",
            icon=":material/arrow_forward:",
            on_click=PITFALL_DECK.go,
            args=(after,),
        )
        st.page_link(page, label=label, icon=":material/open_in_new:")
