"""Pitfalls of transfer learning as cards: predict, run a small experiment, see, understand."""

from tl_core.pitfalls import images, trained, transferred
from tl_core.pitfalls.card import Asked, Judgement, Pitfall, Preset, View

__all__ = ["PITFALLS", "Asked", "Judgement", "Pitfall", "Preset", "View"]

PITFALLS: dict[str, Pitfall] = {
    card.name: card for card in (*transferred.CARDS, *trained.CARDS, *images.CARDS)
}
