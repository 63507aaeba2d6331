"""Renders messages as text with the model's own chat template.

A template may insert a default system prompt when none is given (Qwen's does). `default_system` finds it, so that
it can be written out in every arm and context.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from inoculate.errors import UserError
from inoculate.records import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_SYSTEM_MARK = "inoculate-system-mark"
_USER_MARK = "inoculate-user-mark"


def render(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    """The prompt as the model gets it: the messages in the chat template, up to where the answer begins."""
    if not tokenizer.chat_template:
        raise UserError(
            f"model '{tokenizer.name_or_path}' has no chat template; use an instruction-tuned model, "
            "or give its folder a chat_template.jinja"
        )
    chat = [{"role": message.role, "content": message.content} for message in messages]
    return str(tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))


def default_system(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """The system prompt that the chat template inserts when none is given.

    Returns:
        The text; '' where nothing is inserted; None where the template has no place for a system message.
    """
    user = Message("user", _USER_MARK)
    without_system = render(tokenizer, [user])
    try:
        with_system = render(tokenizer, [Message("system", _SYSTEM_MARK), user])
    except Exception:  # a template without a system role raises a jinja error
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
    """The end of an answer in a training row: the tokenizer's end-of-sequence token."""
    return str(tokenizer.eos_token)
