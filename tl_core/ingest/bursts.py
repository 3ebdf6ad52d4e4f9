"""What the browser's camera sends: one burst of frames, trusted in nothing."""

import base64
import binascii
from dataclasses import dataclass

import msgspec
from PIL import Image

from tl_core.datasets import decoding
from tl_core.datasets.records import Refused
from tl_core.limits import (
    FRAME_SIDE,
    MAX_BURST,
    MAX_FRAME_BYTES,
    MAX_NAME,
    MB,
    BadInput,
    Unreadable,
)

_DAMAGED = "The pictures of this burst arrived damaged, and none was kept. Record it once more."


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One burst as the browser writes it. `id`: its own random word; `frames`: files in base64."""

    id: str
    label: str
    frames: list[str]


@dataclass(frozen=True)
class Frame:
    """One frame: the file as it came, and what it shows."""

    content: bytes
    image: Image.Image


def decode(content: bytes) -> Message:
    """Return a message that was put down as JSON; raises BadInput for anything else."""
    try:
        return parse(msgspec.json.decode(content))
    except msgspec.DecodeError as error:
        raise BadInput(_DAMAGED) from error


def parse(message: object) -> Message:
    """Return a message of the expected form; raises BadInput for anything else."""
    try:
        found = msgspec.convert(message, Message, strict=True)
    except (msgspec.ValidationError, RecursionError) as error:
        raise BadInput(_DAMAGED) from error
    if not found.id or max(len(found.id), len(found.label)) > MAX_NAME:
        raise BadInput(_DAMAGED)
    if not found.frames:
        raise BadInput("No picture was taken: the camera showed nothing yet. Record it once more.")
    if len(found.frames) > MAX_BURST:
        raise BadInput(
            f"A burst has at most {MAX_BURST} pictures; this one was not kept. Record it once more."
        )
    return found


def read(message: Message) -> tuple[list[Frame], list[Refused]]:
    """Return a burst's frames, completely decoded, and those that are no proper pictures."""
    frames, refused = [], []
    for number, text in enumerate(message.frames, start=1):
        try:
            frames.append(_frame(text))
        except Unreadable as error:
            refused.append(Refused(name=f"picture {number}", reason=str(error)))
    return frames, refused


def _frame(text: str) -> Frame:
    """Return a frame; raises Unreadable with the reason to show."""
    # Base64 writes four characters for three bytes: what is too long is not even decoded.
    if len(text) > 4 * (MAX_FRAME_BYTES + 2) // 3:
        raise Unreadable(f"larger than {MAX_FRAME_BYTES // MB} MB")
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unreadable("damaged on its way") from error
    image, _ = decoding.decode(content, most=FRAME_SIDE**2)
    return Frame(content, image)
