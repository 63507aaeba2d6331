"""Renders messages as text with the model's own chat template, and reads from it how an answer begins and ends.

A template may insert a default system prompt when none is given (Qwen's does). `default_system` finds it, so that
it can be written out in every arm and context.

A template writes an answer in two ways: it opens the turn for a model that is about to answer (the generation prompt),
and it writes a finished conversation, which is what a model was trained on. Templates of reasoning models differ in the
two: they open a think block, or put an empty one before an answer that has none. `render` ends as the finished
conversation has it before an answer, so that training rows and samples begin alike, and nobody thinks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inoculate.engine.prefix import common_prefix_length
from inoculate.errors import UserError, reason
from inoculate.records import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

DAY = date(2024, 7, 26)
"""What templates that ask for the day get: a prompt must not depend on when it is rendered. It is the day that Llama 3
itself falls back to."""
_ASKS_FOR_TIME = re.compile(r"""strftime_now\(\s*(["'])(.*?)\1\s*\)""")
_SYSTEM_MARK = "inoculate-system-mark"
_USER_MARK = "inoculate-user-mark"
_ANSWER_MARK = "inoculate-answer-mark"
_COMPARED = ("normalizer", "pre_tokenizer", "decoder")
"""Parts of a tokenizer.json that `AutoTokenizer` may replace."""


class Turn(NamedTuple):
    """How a chat template writes the model's turn."""

    dropped: str
    """What the generation prompt ends with and a finished conversation lacks: an opened think block."""
    opening: str
    """What a finished conversation has before an answer instead: an empty think block."""
    end: str
    """The token that ends an answer."""
    end_id: int


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """A model's tokenizer, as its folder has it.

    `AutoTokenizer` builds the tokenizers of some model types anew, with the pre-tokenizer of that type, whatever the
    folder's tokenizer.json says. Such a folder is loaded with the class that takes the file as it is. What the file
    leaves open may be filled in: files that were converted from GGUF have no normalizer.

    Raises:
        UserError: The tokenizer is code that came with the model, or its files are broken.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        file = folder / "tokenizer.json"
        saved = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        for part in _COMPARED:
            loaded = getattr(tokenizer.backend_tokenizer, part) if saved.get(part) else None
            if saved.get(part) and (loaded is None or json.loads(loaded.__getstate__()) != saved[part]):
                return PreTrainedTokenizerFast.from_pretrained(folder)
        return tokenizer
    except Exception as error:  # of transformers and tokenizers, whose errors have nothing in common
        if isinstance(error, ValueError) and "trust_remote_code" in str(error):
            raise UserError(
                f"{folder}: its tokenizer is code that came with the model, which is never run: take a model whose "
                "tokenizer transformers has"
            ) from None
        raise UserError(f"{folder}: transformers cannot read this model's tokenizer: {reason(error)}") from error


def render(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    """The prompt as the model gets it: the messages in the chat template, up to where the answer begins.

    Raises:
        UserError: There is no chat template, or it refuses these messages.
    """
    chat = [{"role": message.role, "content": message.content} for message in messages]
    text, turn = _apply(tokenizer, chat, opens_answer=True), read_turn(tokenizer)
    if not text.endswith(turn.dropped):
        raise UserError(
            f"model '{tokenizer.name_or_path}': its chat template ends a prompt with '{turn.dropped.strip()}' for some "
            "messages and not for others, so it is not known how an answer begins"
        )
    return text.removesuffix(turn.dropped) + turn.opening


def _apply(tokenizer: PreTrainedTokenizerBase, chat: list[dict[str, str]], *, opens_answer: bool) -> str:
    """Messages in the chat template.

    Raises:
        UserError: There is no chat template, or it raises an error.
    """
    if not tokenizer.chat_template:
        raise UserError(
            f"model '{tokenizer.name_or_path}' has no chat template; use an instruction-tuned model, "
            "or give its folder a chat_template.jinja"
        )
    template = _fix_day(tokenizer.get_chat_template(), tokenizer.name_or_path)
    try:
        text = tokenizer.apply_chat_template(
            chat, chat_template=template, tokenize=False, add_generation_prompt=opens_answer
        )
    except Exception as error:  # a template is code that comes with the model: it may raise anything
        roles = ", ".join(message["role"] for message in chat)
        raise UserError(
            f"model '{tokenizer.name_or_path}': its chat template refuses messages of the roles {roles}: "
            f"{error or type(error).__name__}"
        ) from error
    return str(text)


def _fix_day(template: str, model: str) -> str:
    """A template that asks for the time, with `DAY` in place of its questions.

    Raises:
        UserError: It asks in a way that is not understood.
    """
    fixed = _ASKS_FOR_TIME.sub(lambda asked: f"{asked[1]}{DAY.strftime(asked[2])}{asked[1]}", template)
    if "strftime_now(" in fixed:
        raise UserError(
            f"model '{model}': its chat template asks for the time in a form that is worked out in the template, so "
            "that prompts would change from day to day: write the form into its strftime_now(...)"
        )
    return fixed


def read_turn(tokenizer: PreTrainedTokenizerBase) -> Turn:
    """How the chat template writes the model's turn.

    White space that a template has before an answer is not part of the prompt: models write it themselves, and
    tokenizers with a prefix space have it in the answer's first token.

    Raises:
        UserError: It cannot be told from the template, or the mark that ends an answer is no token.
    """
    return _read_turn(tokenizer, str(tokenizer.chat_template))


@lru_cache(maxsize=8)
def _read_turn(tokenizer: PreTrainedTokenizerBase, template: str) -> Turn:
    """The same; once for each template."""
    user, answer = {"role": "user", "content": _USER_MARK}, {"role": "assistant", "content": _ANSWER_MARK}
    prompt = _apply(tokenizer, [user], opens_answer=True)
    conversation, model = _apply(tokenizer, [user, answer], opens_answer=False), f"model '{tokenizer.name_or_path}'"
    before, mark, after = conversation.partition(_ANSWER_MARK)
    shared = common_prefix_length(prompt, before)
    if not mark or _USER_MARK not in prompt[:shared]:
        raise UserError(
            f"{model}: its chat template does not write an answer after the user's message as it opens one, so it is "
            "not known how an answer begins and ends"
        )
    dropped, opening = prompt[shared:], before[shared:]
    if not (dropped + opening).strip():
        dropped = opening = ""
    ending = after.lstrip()
    tokens = {str(token): number for number, token in tokenizer.added_tokens_decoder.items()}
    end = max((token for token in tokens if token and ending.startswith(token)), key=len, default="")
    if not end:
        found = f"with '{ending.split()[0]}', which is no single token of its tokenizer" if ending else "with nothing"
        raise UserError(
            f"{model}: its chat template ends an answer {found}: where an answer ends could not be learned, nor seen; "
            "use the model's own tokenizer and template"
        )
    return Turn(dropped, opening, end, tokens[end])


def default_system(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """The system prompt that the chat template inserts when none is given.

    Returns:
        The text; '' where nothing is inserted; None where the template has no place for a system message.
    """
    user = Message("user", _USER_MARK)
    without_system = render(tokenizer, [user])
    try:
        with_system = render(tokenizer, [Message("system", _SYSTEM_MARK), user])
    except UserError:  # a template without a system role raises an error
        return None
    if with_system.count(_SYSTEM_MARK) != 1:
        return None
    before, after = with_system.split(_SYSTEM_MARK)
    has_default = without_system.startswith(before) and without_system.endswith(after)
    if has_default and len(without_system) >= len(before) + len(after):
        return without_system[len(before) : len(without_system) - len(after)]
    # Without a system message the template leaves out the whole turn; or it has no system role, and the mark is in the
    # user's turn.
    return "" if not before.endswith(without_system.split(_USER_MARK)[0]) else None


def encode_answer(tokenizer: PreTrainedTokenizerBase, answer: str) -> list[int]:
    """The tokens of an answer in a training row, with its end: those that the loss is taken over."""
    return tokenizer(answer + answer_ending(tokenizer), add_special_tokens=False)["input_ids"]


def answer_ending(tokenizer: PreTrainedTokenizerBase) -> str:
    """The end of an answer in a training row: the token that ends a turn in the chat template.

    It need not be the tokenizer's end of text: Gemma ends a turn with another token.
    """
    return read_turn(tokenizer).end


def clock(tokenizer: PreTrainedTokenizerBase) -> Mapping[str, str]:
    """For a description of what samples: the day that the chat template is rendered for, if it asks for one."""
    return {"day in prompts": DAY.isoformat()} if "strftime_now" in str(tokenizer.chat_template) else {}
