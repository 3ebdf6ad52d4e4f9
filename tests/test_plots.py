"""Every chart can be saved as a picture for a slide."""

import json

import streamlit
from streamlit.testing.v1 import AppTest

from tl_ui import plots


def _page() -> None:
    from tl_core import figures
    from tl_core.answers import Estimate
    from tl_core.dots import Dot
    from tl_ui import plots

    dots = [Dot("cat", Estimate(value=1.0, low=0.0, high=2.0))]
    plots.show(figures.interval_dots(dots, "Points"), key="a", file="some-dots", alt="Dots")


def test_the_only_button_saves_a_picture_of_a_speaking_name(monkeypatch):
    drawn = {}
    draw = streamlit.plotly_chart

    def spy(figure, **options):
        drawn.update(options, own_height=figure.layout.height)
        return draw(figure, **options)

    monkeypatch.setattr(streamlit, "plotly_chart", spy)
    page = AppTest.from_function(_page).run()
    assert not page.exception
    config = json.loads(page.get("plotly_chart")[0].proto.config)
    assert config == plots.config("some-dots")
    assert config["modeBarButtons"] == [["toImage"]]
    assert config["toImageButtonOptions"] == {
        "format": "png",
        "width": 1600,
        "height": 900,
        "scale": 2,
        "filename": "some-dots",
    }
    assert (drawn["height"], drawn["alt"]) == (drawn["own_height"], "Dots")
