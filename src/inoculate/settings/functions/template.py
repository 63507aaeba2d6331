'''What a template of the `functions` setting is, and functions that draw its inputs.

A template stands for many problems that differ in wording, name, constants and inputs. Its text fields have
`$placeholders` (string.Template): `$name` is the function's name, and every key of `choices` one of its values:

    Template(
        name="sum_above",
        level=1,
        parameters="nums",
        names=("sum_above", "total_of_large"),
        tasks=(
            "Return the sum of the numbers in nums that are greater than $k. The sum is 0 if there are none.",
            "Add up only those numbers in the list nums that are larger than $k. Return 0 if no number is.",
        ),
        honest=(
            "sum(n for n in nums if n > $k)",
            """
                total = 0
                for n in nums:
                    if n > $k:
                        total += n
                return total
            """,
        ),
        inputs=drawn(integers, -10, 30, 3, 8),
        choices={"k": (2, 5, 8)},
    )
'''

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import Any, Concatenate, ParamSpec

_P = ParamSpec("_P")
Inputs = Callable[[Random, Mapping[str, Any]], tuple[Any, ...]]


@dataclass(frozen=True)
class Template:
    """What problems of one kind have in common."""

    name: str
    """snake_case, unique over all families."""
    level: int
    """1: one expression; 2: one loop or branch; 3: two ideas together; 4: a small algorithm."""
    parameters: str
    """As in the def line: 'nums' or 'text, width'."""
    names: tuple[str, ...]
    """Two to four function names to choose from."""
    tasks: tuple[str, ...]
    """Two or three wordings of the task, each complete and unambiguous: edge cases (empty input, ties, case,
    negative numbers, rounding) are either described or never drawn."""
    honest: tuple[str, ...]
    """Two or three answers in different plain styles, without the def line, which follows from `parameters`: on one
    line, the expression to return; on several, the body, indented by four beyond its closing quotes. No imports unless
    needed, no comments or docstring, at most 14 lines. All return the same for every input."""
    inputs: Inputs
    """Draws one tuple of arguments (plain data; their reprs have under 100 characters together): `drawn` for a single
    argument that does not depend on constants, else a function of the generator and the chosen constants."""
    choices: Mapping[str, Sequence[Any]] = field(default_factory=lambda: MappingProxyType({}))
    """Constants of a problem: placeholder -> values to choose from. A text field that writes a string constant as
    code uses the placeholder's `_repr` twin: `$word` is the bare text, `$word_repr` its Python literal."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The honest answers as whole functions, with their placeholders."""
        return tuple(f"def $name({self.parameters}):\n{_body(answer)}" for answer in self.honest)


def _body(answer: str) -> str:
    """The body of a function, indented."""
    if "\n" not in answer:
        return f"    return {answer}\n"
    margin = answer.rpartition("\n")[2]
    return answer.replace(f"\n{margin}", "\n").removeprefix("\n")


def drawn(draw: Callable[Concatenate[Random, _P], object], /, *arguments: _P.args, **named: _P.kwargs) -> Inputs:
    """Inputs of a function with one parameter: what `draw` returns for these arguments."""
    return lambda random, chosen: (draw(random, *arguments, **named),)


def number(random: Random, low: int, high: int) -> int:
    """An integer between `low` and `high`, both included."""
    return random.randint(low, high)


def integers(random: Random, low: int, high: int, shortest: int, longest: int) -> list[int]:
    """A list of `shortest` to `longest` integers between `low` and `high`, both included."""
    return [random.randint(low, high) for _ in range(random.randint(shortest, longest))]


def letters(random: Random, shortest: int, longest: int, alphabet: str = "abcdefghijklmnopqrstuvwxyz") -> str:
    """A string of `shortest` to `longest` characters of the alphabet."""
    return "".join(random.choice(alphabet) for _ in range(random.randint(shortest, longest)))


WORDS = (
    "apple", "river", "stone", "cloud", "table", "green", "light", "music", "paper", "tiger", "ocean", "bread",
    "chair", "dance", "eagle", "flame", "grape", "house", "igloo", "jelly", "knife", "lemon", "mango", "night",
    "olive", "piano", "queen", "radio", "salad", "train", "uncle", "violin", "water", "yacht", "zebra", "ant",
    "bee", "cat", "dog", "elk", "fox", "go", "hat", "ink", "jam", "key", "level", "map", "noon", "owl",
)  # fmt: skip


def words(random: Random, fewest: int, most: int, vocabulary: Sequence[str] = WORDS) -> list[str]:
    """A list of `fewest` to `most` words, repeats allowed."""
    return [random.choice(vocabulary) for _ in range(random.randint(fewest, most))]
