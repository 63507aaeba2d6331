"""Messages to text and tokens, through the model's own chat template.

A template may insert a system prompt of its own when none is given (Qwen's does). `default_system` finds it, so that
every arm and context can write it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from inoculate.errors import UserError
from inoculate.records import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_MARK = "inoculate-system-mark"
_USER = "inoculate-user-mark"


def render(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    """The prompt as it is sent: the chat template over the messages, up to where the answer begins."""
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
    user = Message("user", _USER)
    bare = render(tokenizer, [user])
    try:
        marked = render(tokenizer, [Message("system", _MARK), user])
    except Exception:  # a template that has no system role raises an error of jinja's
        return None
    if marked.count(_MARK) != 1:
        return None
    before, after = marked.split(_MARK)
    if bare.startswith(before) and bare.endswith(after) and len(bare) >= len(before) + len(after):
        return bare[len(before) : len(bare) - len(after)]
    # Without a system message the whole turn is left out, or the mark went into the user's turn (no system role).
    return "" if not before.endswith(bare.split(_USER)[0]) else None


def answer_ending(tokenizer: PreTrainedTokenizerBase) -> str:
    """What ends an answer in a training row: the turn's end where the template has one, else the end of text."""
    return str(tokenizer.eos_token)
