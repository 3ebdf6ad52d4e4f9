"""Every limit is documented with its value, and every documented limit exists."""

import re
from pathlib import Path

from tl_core import limits, room_on_disk

PAGE = Path(__file__).parents[1] / "docs" / "limits.md"
ROW = re.compile(r"^\| `(\w+)` \| ([\d,]+)( [MG]B)? \|", re.M)
UNITS = {"": 1, " MB": limits.MB, " GB": 1024 * limits.MB}


def test_the_page_has_every_limit_and_its_value():
    written = {
        name: int(number.replace(",", "")) * UNITS[unit]
        for name, number, unit in ROW.findall(PAGE.read_text())
    }
    held = {
        name: value
        for module in (limits, room_on_disk)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, int) and name not in ("MB", "GB")
    }
    assert written == held
