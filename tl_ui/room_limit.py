"""How many comparisons one person of a room may have under way."""

from tl_core.wording import number_of
from tl_ui import current, identity

_COUNTED = ("compare", "sweep")


def reason() -> str:
    """Return why this person cannot start another comparison now; empty if that is possible."""
    most = current.whole_store().limits().active_per_person
    if most is None or identity.is_teacher() or not identity.in_room():
        return ""
    under_way = sum(job.kind in _COUNTED for job in current.store().list(limit=100, active=True))
    if under_way < most:
        return ""
    return (
        f"You have {number_of(under_way, 'comparison')} under way, as many as one person may have "
        "in this room. Wait for one to finish, or cancel one in the history."
    )
