"""Tables as CSV that a spreadsheet opens without executing anything in it."""

import pandas as pd

# A cell that begins so is a formula to spreadsheets, and a formula can call programs and the web.
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def csv_text(frame: pd.DataFrame) -> str:
    """Return a frame as CSV, headers included; text that begins like a formula gets a `'` in front.

    Numbers stay numbers: a negative one is no formula.
    """
    safe = frame.map(_inert)
    safe.columns = pd.Index([_inert(name) for name in frame.columns])
    text: str = safe.to_csv(index=False, lineterminator="\n")
    return text


def _inert(value: object) -> object:
    if isinstance(value, str) and value.startswith(_DANGEROUS):
        return f"'{value}"
    return value
