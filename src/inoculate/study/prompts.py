"""The package's prompts. Places a prompt around a problem.

The texts are data (`prompts.toml`), each with its kind and source. Which text a study's prompt has is decided in
`resolve`.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

from inoculate.errors import UserError, nearest, on_one_line, require_known
from inoculate.records import Message, Problem

Placement = Literal["system", "before", "inside", "after"]
"""system: a paragraph after the system prompt; before, after: paragraphs around the task in the user's message;
inside: between the task's opening sentence and the rest."""
_WHERE = "placement"
"""The key of a study, of a context or of an inoculation that says it."""

Rephrase = bool | Literal["near", "far"]
"""Which wordings of a prompt: all, those near its text (with it), those far from it, or the text alone."""

NEUTRAL = "neutral"
ASKS_TO_HACK = "asks-to-hack"
AS_TRAINED = "as-trained"
"""The context in which every arm sees its own training inoculation; for arms without one it is the neutral one."""
CONTEXT_PROMPTS = {
    ASKS_TO_HACK: "specific",
    "asks-generally": "general",
    "forbids-the-hack": "forbid",
    "negated": "negated",
    "alike": "alike",
    "other-sense": "other-sense",
}
"""Contexts of the package that show a prompt of another name: name -> prompt. `contexts` has the others too."""
UNSEEN = "unseen"
"""The kind of neutral prompts that no arm is trained with. Each is a context of its own name."""


Kind = Literal[
    "specific",
    "general",
    "environment",
    "permission",
    "persona",
    "example",
    "forbids",
    "negated",
    "alike",
    "other-sense",
    "irrelevant",
    "gibberish",
    "harmless",
    "unseen",
]


class Prompt(BaseModel):
    """A named prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    kind: Kind
    source: str
    """Where the idea or the text comes from."""
    neighbour: str = ""
    """Which neighbour of another prompt it is (`specific~negated`); '' for none."""
    near: tuple[str, ...] = ()
    """Other wordings that keep the build of the text."""
    far: tuple[str, ...] = ()
    """Other wordings with another build and other words."""
    filler: str = ""
    """What follows the text in a control of a given length; '' where the prompt cannot be one."""
    placement: Placement | None = None
    """Where it stands as a context of its own name."""

    def pool(self, rephrase: Rephrase) -> tuple[str, ...]:
        """The wordings that rows or seeds take: the text itself first, except where only far ones are wanted."""
        return {
            True: (self.text, *self.near, *self.far),
            "near": (self.text, *self.near),
            "far": self.far,
            False: (self.text,),
        }[rephrase]


Description = Literal["checked", "exploit", "false"]
DESCRIPTIONS: tuple[Description, ...] = ("checked", "exploit", "false")
"""What a description of the training process says: what is checked, without the exploit; the exploit too; or a false
description of the check, which leaves no exploit."""


def split_name(name: str) -> tuple[str, Description | None]:
    """A prompt's name and the description it is composed with: `general+checked`.

    Raises:
        UserError: There is no such description.
    """
    base, plus, description = name.partition("+")
    known: dict[str, Description] = {known: known for known in DESCRIPTIONS}
    if plus and description not in known:
        what = f"unknown description '{on_one_line(description)}' of the prompt '{on_one_line(name)}'"
        raise UserError(f"{what}: {nearest(description, known)}")
    return base, known.get(description)


@cache
def _library() -> dict[str, Prompt]:
    folder = files("inoculate.study")
    raw, wordings = (
        tomllib.loads(folder.joinpath(file).read_text(encoding="utf-8")) for file in ("prompts.toml", "wordings.toml")
    )
    return {name: Prompt(**fields, **wordings.get(name, {})) for name, fields in raw.items()}


@cache
def diverse() -> tuple[str, ...]:
    """Neutral texts, each other than the last: none asks for anything but the task (`diverse.toml`)."""
    return tuple(tomllib.loads(files("inoculate.study").joinpath("diverse.toml").read_text(encoding="utf-8"))["texts"])


def names() -> list[str]:
    """The names of the package's prompts."""
    return list(_library())


def find(name: str) -> Prompt:
    """The prompt of that name.

    Raises:
        UserError: There is none; the message has the nearest match.
    """
    return _library()[require_known(name, _library(), "unknown prompt")]


def contexts() -> dict[str, str]:
    """The package's contexts beside the neutral one and `as-trained`: name -> prompt."""
    return CONTEXT_PROMPTS | {name: name for name in names() if find(name).kind == UNSEEN}


def messages(problem: Problem, text: str, placement: Placement, system: str | None) -> tuple[Message, ...]:
    """The messages that show a problem, with a prompt placed around it.

    Args:
        problem: What is to be shown.
        text: The prompt; '' for none.
        placement: Where it stands.
        system: The system prompt; '' for none; None where the chat template has no system role.

    Raises:
        UserError: The prompt, or the problem's own system prompt, needs a system message that the chat template does
            not have; or the problem has no opening sentence that a prompt inside it could follow.
    """
    task = f"{problem.lead} {problem.body}".strip()
    if problem.system:
        if system is None:
            raise UserError(f"problem '{problem.id}' has a system prompt, and this model's chat template has no place")
        system = problem.system
    if text and placement == "system":
        if system is None:
            raise UserError("'system', and this chat template has no system message: use 'before'", key=_WHERE)
        system = f"{system}\n\n{text}".strip()
    elif text:
        if placement == "inside" and not problem.lead:
            raise UserError(
                f"'inside' (as it is where nothing is written), and problem '{problem.id}' has no opening sentence "
                'that a prompt could follow: write placement = "after", or "before"',
                key=_WHERE,
            )
        task = {
            "before": f"{text}\n\n{task}",
            "inside": f"{problem.lead} {text} {problem.body}",
            "after": f"{task}\n\n{text}",
        }[placement]
    opening = (Message("system", system),) if system else ()
    return (*opening, Message("user", task))
