"""Which of several processes executes which run: whoever asks first."""

from collections.abc import Callable

from tl_core import pipe
from tl_core.earlier import Finished
from tl_core.events import Event, RunEnded, RunFailed


class Claims:
    """Answers processes, by their numbers, that ask for a run before they execute it.

    `answer(number, found)` tells a process; `finished` knows the runs that ended before.
    """

    def __init__(self, finished: Finished, answer: Callable[[int, pipe.Found], None]) -> None:
        self._finished, self._answer = finished, answer
        self._ended: dict[str, RunEnded] = {}
        self._taken: set[str] = set()
        self._waiting: dict[str, list[int]] = {}

    def asked(self, number: int, question: pipe.Ask) -> None:
        """Answer a process, at once or when the run that it needs has ended."""
        run_id = question.run_id
        if run_id in self._taken:
            if question.needed:
                self._waiting.setdefault(run_id, []).append(number)
            else:
                self._answer(number, pipe.Found(None, elsewhere=True))
            return
        if run_id not in self._ended and not question.needed:
            found = self._finished(run_id)
            if isinstance(found, RunEnded):
                self._ended[run_id] = found
            else:
                self._taken.add(run_id)
        self._answer(number, pipe.Found(self._ended.get(run_id)))

    def happened(self, event: Event) -> None:
        """Note how a run ended; one that failed may be taken again, where it comes again."""
        if isinstance(event, RunEnded):
            self._ended[event.run_id] = event
        elif not isinstance(event, RunFailed):
            return
        self._taken.discard(event.run_id)
        for number in self._waiting.pop(event.run_id, []):
            self._answer(number, pipe.Found(self._ended.get(event.run_id)))
