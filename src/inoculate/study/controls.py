"""Controls: irrelevant prompts that are made exactly as long as the prompt that they control, in the model's tokens.

A control is cut from its own text, and is refused where that is too short. Repeating a sentence would make it another
kind of prompt: repetition itself can be what a model learns a prompt by.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from inoculate.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_PUNCTUATION = ".,;:"
_MOST_DROPPED = 12
"""Words that are given up at the end while one is looked for that fills the length exactly."""


def count_tokens(text: str, tokenizer: PreTrainedTokenizerBase) -> int:
    """Tokens of a text that stands within a prompt."""
    return len(tokenizer(text, add_special_tokens=False)["input_ids"])


def fit_control(text: str, filler: str, length: int, tokenizer: PreTrainedTokenizerBase) -> str:
    """A control: `text` and as much of `filler` as makes exactly `length` tokens. Nothing is repeated.

    The text ends at a word. Where no word ends at that length, a later word of the filler takes the place of the last
    ones. If the filler ends with a full stop, so does the control.

    Args:
        text: What it begins with (may be '').
        filler: What follows it.
        length: Tokens wanted.
        tokenizer: The model's own.

    Raises:
        UserError: Text and filler together are too short, `text` alone is too long, or no words have that length.
    """
    words, first = f"{text} {filler}".split(), max(len(text.split()), 1)
    ending = "." if words and words[-1].endswith(".") else ""

    def build(parts: list[str]) -> str:
        return " ".join(parts).rstrip(_PUNCTUATION) + ending

    def count(parts: list[str]) -> int:
        return count_tokens(build(parts), tokenizer)

    start = f"the control '{build(words[:first])}'"
    if count(words) < length:
        raise UserError(
            f"{start} has text for {count(words)} tokens and is to have {length}; it is not repeated to fill them: "
            "name a shorter prompt in `like`, or write a longer control under [prompts] and leave `like` out"
        )
    if count(words[:first]) > length:
        raise UserError(
            f"{start} has {count(words[:first])} tokens and is to have {length}: name a longer prompt in `like`, "
            "another control, or leave `like` out"
        )
    # More words have more tokens: the most that fit are found by halving.
    end = bisect_right(range(first, len(words) + 1), length, key=lambda number: count(words[:number])) + first - 1
    if count(words[:end]) == length:
        return build(words[:end])
    for kept in islice(range(end, first - 1, -1), _MOST_DROPPED):
        for ended in _endings(words[:kept], words[kept:]):
            if count(ended) == length:
                return build(ended)
    raise UserError(f"no words of {start} have exactly {length} tokens: name another prompt in `like`, or another one")


def _endings(kept: list[str], later: list[str]) -> Iterator[list[str]]:
    """The words kept with one later word behind them: first those that make a readable end, then any."""
    *before, last = [*kept]
    for link in (" and", ",", "") if "and" in kept else (",", ""):
        for word in later:
            if len(word) > 3 and word.strip(_PUNCTUATION).isalpha() and word.islower():
                yield [*before, last.rstrip(_PUNCTUATION) + link, word]
    for word in later:
        yield [*kept, word]
