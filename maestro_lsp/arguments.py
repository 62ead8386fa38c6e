"""A command line that helps: one line for what is wrong, with what was probably meant; a command alone shows its help."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

USAGE = 2
"""Exit status of bad usage."""
_DIGITS = 18  # of a number; more are a slip
_HELP_COLUMN = 28  # room for the longest name of a command or option


def positive(text: str) -> int:
    """A number from 1 up."""
    return _number(text, 1)


def count(text: str) -> int:
    """A number from 0 up."""
    return _number(text, 0)


def _number(text: str, least: int) -> int:
    n = int(text) if text.isdecimal() and len(text) <= _DIGITS else -1
    if n < least:
        raise argparse.ArgumentTypeError(f"{text[: 2 * _DIGITS]!r} is no number from {least} up")
    return n


def named(text: str) -> str:
    """A word that is not empty: an empty one is a shell's variable that is not set."""
    if not text:
        raise argparse.ArgumentTypeError("'' names nothing")
    return text


class _Formatter(argparse.HelpFormatter):
    """Leaves an example on its line, so that it can be copied."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith("example: ") else super()._fill_text(text, width, indent)


class Parser(argparse.ArgumentParser):
    """Of the program and of each of its commands, which set `run`.

    Args:
        alone: whether the command does something when nothing follows it.
    """

    def __init__(self, *, alone: bool = False, **options: Any) -> None:
        super().__init__(formatter_class=partial(_Formatter, max_help_position=_HELP_COLUMN), **options)
        self.alone = alone
        self.commands: Mapping[str, Parser] = {}

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """As parse_args, but a command alone shows its help, and an unknown option is the command's error."""
        command = self.commands.get(words[0], self) if words else self
        if not words or (len(words) == 1 and command is not self and not command.alone):
            command.print_help(sys.stderr)
            self.exit(USAGE)
        args, unknown = self.parse_known_args(words)
        if unknown:
            command.error(f"{unknown[0]} is not understood")
        if not hasattr(args, "run"):
            command.error("there is no command")
        return args

    def error(self, message: str) -> NoReturn:
        """One line on stderr; exit status 2."""
        self.exit(USAGE, f"{self.prog}: error: {message}; {self._meant(message)}see {self.prog} --help\n")

    def _meant(self, message: str) -> str:
        _, choice, rest = message.partition("invalid choice: '")
        if choice:
            word, known = rest.partition("'")[0], [str(c) for a in self._actions for c in a.choices or ()]
        else:
            word, known = message.partition(" ")[0], [option for a in self._actions for option in a.option_strings]
        near = difflib.get_close_matches(word.partition("=")[0], known, 1)
        return f"did you mean {near[0]}? " if near else ""
