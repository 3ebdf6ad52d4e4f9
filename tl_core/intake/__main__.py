"""`python -m tl_core.intake`: reads one upload, says what became of it, and ends.

One order comes on standard input, which stays open: its end means that nobody waits any more.
"""

import os
import sys
import threading

from tl_core import log, owners, unfinished
from tl_core.ingest.image_writer import Progress
from tl_core.intake import limited, messages, taking
from tl_core.layouts import BadWeights
from tl_core.limits import BadInput


def main() -> None:
    """Take one order from standard input; what libraries print goes to standard error."""
    output = os.dup(1)
    os.dup2(2, 1)
    sending = threading.Lock()

    def say(message: messages.Answer) -> None:
        data = memoryview(messages.encode(message))
        with sending:
            while data:
                data = data[os.write(output, data) :]

    order = messages.orders.decode(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    say(_answer(order, lambda text, share: say(messages.Progress(text, share))))


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _answer(order: messages.Order, progress: Progress) -> messages.Answer:
    unfinished.mark(order.mark)
    try:
        with owners.acting(order.owner):
            answer = taking.take(order.request, progress)
    except (BadInput, BadWeights) as error:
        return messages.Refused(limited.peak_mb(), str(error), error.details)
    except MemoryError:
        return messages.NoMemory(limited.peak_mb())
    except Exception as error:
        # Nothing may end without a word; the parent writes it to the log.
        return messages.Broke(limited.peak_mb(), *log.described(error))
    return answer(limited.peak_mb())


if __name__ == "__main__":
    limited.limit()
    main()
    sys.stdout.flush()
    # A thread still waits for standard input: an ordinary end would wait for it.
    os._exit(0)
