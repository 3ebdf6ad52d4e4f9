"""A room's code, to be said aloud, and its teacher's key, to be kept."""

import hashlib
import secrets

# Nothing that is taken for something else when read (l, 1, 0) or heard (c and k, f and v).
_CONSONANTS, _VOWELS = "bdfgkmnprstz", "aeiou"
_SYLLABLES = 4


def new_code() -> str:
    """Return a code such as `mako-ribu`: one of 13 million."""
    said = [secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(_SYLLABLES)]
    half = _SYLLABLES // 2
    return f"{''.join(said[:half])}-{''.join(said[half:])}"


def new_key() -> str:
    """Return a teacher's key of 192 bits, as it stands in the teacher's link."""
    return secrets.token_urlsafe(24)


def digest(key: str) -> str:
    """Return what the store keeps of a key: its SHA-256 in hex digits."""
    return hashlib.sha256(key.encode()).hexdigest()
