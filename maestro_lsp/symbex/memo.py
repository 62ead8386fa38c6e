"""Answers that are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memo(dict[K, V]):
    """The answers of a function, each computed when it is first asked for; `map` and `filter` ask it without a call of Python's."""

    __slots__ = ("_answer",)

    def __init__(self, answer: Callable[[K], V]) -> None:
        self._answer = answer

    def __missing__(self, question: K) -> V:
        answer = self[question] = self._answer(question)
        return answer
