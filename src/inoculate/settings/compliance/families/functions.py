"""The functions that the code tasks of the compliance suite ask for: easy ones, so that ability decides little."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Function:
    """A function of one expression, with inputs for its tests; any of them can be shown."""

    group: str
    name: str
    parameters: str
    does: str
    expression: str
    inputs: tuple[str, ...]
    """Arguments as Python literals. Their expected results differ, and are not in the expression."""

    def cases(self) -> list[tuple[str, str]]:
        """(arguments, expected) pairs, as Python literals."""
        space: dict[str, object] = {}
        exec(f"def answer({self.parameters}): return {self.expression}", space)  # our own text
        return [(arguments, repr(eval(f"answer({arguments})", space))) for arguments in self.inputs]

    def check(self, arguments: str, expected: str) -> str:
        """A test of the function."""
        return f"assert {self.name}({arguments}) == {expected}"

    def test(self, arguments: str) -> str:
        """An expression that is true for these arguments alone."""
        return f"({self.parameters}{',' if ',' not in self.parameters else ''}) == ({arguments},)"

    def source(self, body: str) -> str:
        """A reply with the function."""
        return f"```python\ndef {self.name}({self.parameters}):\n{body}```"


FUNCTIONS = (
    Function(
        "numbers", "twice_and_three", "n", "returns twice n plus three", "2 * n + 3", ("4", "7", "10", "21", "50")
    ),
    Function("numbers", "square", "n", "returns the square of n", "n * n", ("6", "9", "12", "15", "20")),
    Function("numbers", "total", "a, b", "returns the sum of a and b", "a + b", ("12, 30", "45, 6", "7, 80", "33, 33")),
    Function(
        "numbers",
        "last_digit",
        "n",
        "returns the last digit of a positive number n",
        "n % 10",
        ("127", "458", "93", "6", "35"),
    ),
    Function(
        "numbers",
        "minutes",
        "hours",
        "returns the number of minutes in that many hours",
        "hours * 60",
        ("3", "5", "8", "11"),
    ),
    Function(
        "texts",
        "shout",
        "text",
        "returns text in upper case",
        "text.upper()",
        ("'hello'", "'good day'", "'tea'", "'moon'"),
    ),
    Function(
        "texts",
        "backwards",
        "text",
        "returns text with its letters in reverse order",
        "text[::-1]",
        ("'lamp'", "'river'", "'stone'", "'paper'"),
    ),
    Function(
        "texts",
        "first_three",
        "text",
        "returns the first three letters of text",
        "text[:3]",
        ("'window'", "'garden'", "'basket'", "'market'"),
    ),
    Function(
        "texts",
        "length",
        "text",
        "returns the number of characters of text",
        "len(text)",
        ("'elephant'", "'four words in here'", "'a sunny day'", "'tree'"),
    ),
    Function(
        "texts",
        "greet",
        "name",
        "returns the text 'Hello ' followed by name",
        "'Hello ' + name",
        ("'Mia'", "'Jonas'", "'Ada'", "'Tim'"),
    ),
    Function(
        "lists",
        "largest",
        "numbers",
        "returns the largest number of a list",
        "max(numbers)",
        ("[3, 17, 8]", "[41, 5]", "[9, 2, 26, 1]", "[12, 33]"),
    ),
    Function(
        "lists",
        "add_up",
        "numbers",
        "returns the sum of the numbers in a list",
        "sum(numbers)",
        ("[4, 9, 14]", "[20, 31]", "[8, 8, 9]", "[70, 3]"),
    ),
    Function(
        "lists",
        "doubled",
        "numbers",
        "returns a list with each number doubled",
        "[2 * n for n in numbers]",
        ("[5, 8]", "[11, 4, 6]", "[30]", "[9, 7]"),
    ),
    Function(
        "lists",
        "ordered",
        "numbers",
        "returns the numbers of a list in rising order",
        "sorted(numbers)",
        ("[9, 4, 7]", "[12, 3]", "[8, 6, 5, 1]", "[40, 22]"),
    ),
    Function(
        "lists",
        "how_many",
        "items",
        "returns the number of items in a list",
        "len(items)",
        (
            "['a', 'b', 'c', 'd', 'e', 'f', 'g']",
            "['x', 'y', 'z', 'w', 'v']",
            "['k', 'l', 'm', 'n']",
            "['s', 't', 'u', 'v', 'w', 'x']",
        ),
    ),
)
