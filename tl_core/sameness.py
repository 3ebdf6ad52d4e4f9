"""When two jobs are the same job, and which of them may run once for everybody."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tl_core import owners, weights
from tl_core.config import DRAWN, ComparisonConfig, DataConfig, content_hash
from tl_core.datasets import records
from tl_core.limits import BadInput

# Fingerprints, checksums and ids of jobs.
_NAMED = re.compile("[0-9a-fA-F]{24,64}")


def identity(kind: str, config: ComparisonConfig | None, request: Mapping[str, Any]) -> str:
    """Return a hash of what decides a job's result, whatever device it was resolved to."""
    if config is None:
        return content_hash(kind, None, dict(request))
    data = DataConfig(fingerprint=config.data.fingerprint, name="", probe=config.data.probe)
    plain = msgspec.structs.replace(config, data=data, device="auto", precision="auto", threads=0)
    return content_hash(kind, plain, dict(request))


def is_for_all(config: ComparisonConfig | None, request: Mapping[str, Any]) -> bool:
    """Return whether a job's data, source images and weights all come with the app.

    What a request names besides has to as well; without a configuration nothing is anybody's.
    """
    with owners.acting(owners.EVERYBODY):
        return (config is None or _is_shared(config)) and all(
            _is_known(text) for text in _texts(request) if _NAMED.fullmatch(text)
        )


def _is_shared(config: ComparisonConfig) -> bool:
    """Return whether anyone could have asked for a comparison, in the very same words."""
    probe = config.data.probe
    return (
        _is_called(config.data.fingerprint, config.data.name)
        and (probe is None or probe.startswith(DRAWN) or _is_called(probe, config.data.probe_name))
        and weights.find(config.weights_sha256) is not None
    )


def _name_of(fingerprint: str) -> str | None:
    try:
        return records.load(fingerprint).name
    except BadInput:
        return None


def _is_called(fingerprint: str, name: str | None) -> bool:
    return name is not None and _name_of(fingerprint) == name


def _is_known(text: str) -> bool:
    return _name_of(text) is not None or weights.find(text) is not None


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts among the values; keys name settings, classes and runs."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
