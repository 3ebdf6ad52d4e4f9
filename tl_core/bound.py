"""`python -m tl_core.bound MODULE …`: run a module, but no longer than whoever started it.

Standard input is a pipe that only the starter holds. When it closes – the starter has ended,
however – the module is asked to end as by SIGTERM.
"""

import contextlib
import os
import runpy
import signal
import sys
import threading


def _watch() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run the module that the command line names, with the rest as its arguments."""
    sys.argv = sys.argv[1:]
    threading.Thread(target=_watch, daemon=True).start()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
