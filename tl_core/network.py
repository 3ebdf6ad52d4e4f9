"""Where this machine can be reached on the local network, and which ports are free; asks nobody."""

import contextlib
import errno
import ipaddress
import socket

# Never sent to: choosing a way there tells which of the machine's addresses would be used. The
# first stands for everything beyond the local networks.
_TARGETS = ("192.0.2.1", "10.254.254.254", "172.30.254.254", "192.168.254.254")
EVERYWHERE = "0.0.0.0"
LOOPBACK = "127.0.0.1"
# In use, or kept for the administrator.
_TAKEN = (errno.EADDRINUSE, errno.EACCES)


def addresses() -> list[str]:
    """Return the machine's IPv4 addresses that others may reach, the likeliest first."""
    found = [*map(_used_towards, _TARGETS), *_own_name()]
    usable = [text for text in dict.fromkeys(found) if text and _is_for_others(text)]
    return sorted(usable, key=lambda text: not ipaddress.ip_address(text).is_private)


def _used_towards(target: str) -> str:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect((target, 9))
        return str(way.getsockname()[0])
    return ""


def _own_name() -> list[str]:
    with contextlib.suppress(OSError):
        return [str(name) for name in socket.gethostbyname_ex(socket.gethostname())[2]]
    return []


def _is_for_others(text: str) -> bool:
    address = ipaddress.ip_address(text)
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)


def is_free(address: str, port: int) -> bool:
    """Return whether a server could listen there now; raises OSError for an address not ours."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno in _TAKEN:
                return False
            raise
    return True


def next_free(address: str, port: int) -> int | None:
    """Return the first free port of the twenty after this one, if there is one."""
    after = range(port + 1, min(port + 21, 65536))
    return next((one for one in after if is_free(address, one)), None)
