"""Ready lessons: a question, a prediction, a comparison of a minute or two, and what it showed."""

from tl_core.lessons import reading, reusing
from tl_core.lessons.lesson import Lesson

__all__ = ["LESSONS", "Lesson"]

LESSONS: dict[str, Lesson] = {lesson.name: lesson for lesson in (*reusing.READY, *reading.READY)}
