"""The command that reproduces a sweep."""

import shlex

import msgspec
import pytest

from tests.factories import comparison_config
from tl_core.cli import parser
from tl_core.sweep import SWEEP_NAMES, Sweep, SweepPoint
from tl_core.sweep_line import sweep_line

BASE = comparison_config()
CHANGES = {
    "labels": [(2.0, "2", {"labels_per_class": 2}), (9.5, "all", {})],
    "depth": [(0.0, "head only", {}), (1.0, "layer4", {})],
    "rate": [(None, "range test", {"rate_range": (1e-4, 1.0)}), (0.003, "0.003", {})],
    "steps": [(60.0, "60", {"steps": 60})],
    "model": [(None, "ResNet-18", {"backbone": "resnet18"})],
    "input_size": [(96.0, "96", {"input_size": 96})],
    "augmentation": [(None, "none", {"augmentation": "none"})],
    "regularisation": [(None, "mixup", {"regularisation": "mixup"})],
}
VALUES = {
    "labels": "2,all",
    "depth": "0,1",
    "rate": "0.003",
    "steps": "60",
    "model": "resnet18",
    "input_size": "96",
    "augmentation": "none",
    "regularisation": "mixup",
}


@pytest.mark.parametrize("name", SWEEP_NAMES)
def test_the_line_names_every_point_and_the_command_line_reads_it(name):
    points = tuple(
        SweepPoint(label=label, value=value, config=msgspec.structs.replace(BASE, **change))
        for value, label, change in CHANGES[name]
    )
    words = shlex.split(sweep_line(Sweep(name=name, points=points), BASE))
    assert words[:5] == ["python", "-m", "tl_core", "sweep", name]
    assert words[-2:] == ["--values", VALUES[name]]
    options = parser().parse_args(words[3:])
    assert (options.what, options.values) == (name, VALUES[name])
