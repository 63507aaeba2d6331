"""A study with all its texts written out: every prompt, wording, context, control and description, once.

A study file mostly names its prompts. What a name stands for depends on the study, the setting and the package;
`resolve` looks it up and puts the text together. Everything after that (plan, steps, screen, manifest, integrations)
reads the result. Only the length of a control is set later, because it needs the model's tokenizer
(`fit_length`).

The way of an inoculation: study file -> `Study` (its name) -> `resolve` (its text) -> parameters of the rows step ->
`fit_length` -> `prompts.messages` (around a problem) -> chat template.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeVar

from inoculate import settings
from inoculate.study import prompts
from inoculate.study.prompts import Placement
from inoculate.study.schema import BASE, Context, Inoculation, Study

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Source = Literal["none", "text", "study", "setting", "package"]
"""Where a prompt's text is from: there is no prompt; the text itself was given; or it is the study's, the setting's or
the package's text of that name."""


@dataclass(frozen=True)
class ResolvedPrompt:
    """A prompt as it is placed around problems: its text for one setting, and its placement."""

    text: str = ""
    """'' for no prompt."""
    placement: Placement = "inside"
    name: str = ""
    """Its name in the study; '' where the text itself is given, or there is no prompt."""
    source: Source = "none"
    length_of: str = ""
    """The text whose length in tokens it is fitted to (`fit_length`); '' where it keeps its own length."""
    filler: str = ""
    """The text that fills it up to that length; the package's irrelevant sentences unless given."""


@dataclass(frozen=True)
class ResolvedInoculation(ResolvedPrompt):
    """The prompt of an arm's rows."""

    on: Literal["all", "hacked", "none"] = "all"
    """Which rows get it. Vetted rows never do."""
    wordings: tuple[str, ...] = ()
    """What the rows take in turn, `text` first; empty where every row takes `text`."""


@dataclass(frozen=True)
class ResolvedStudy:
    """A study, and every text that it shows to a model beside the problems."""

    study: Study
    inoculations: Mapping[str, ResolvedInoculation]
    """Arm -> the prompt of its rows; arms without one are left out."""
    contexts: Mapping[tuple[str, str], ResolvedPrompt]
    """(context, setting) -> its prompt, for every context and every setting that the study names; read with
    `context`, which knows the context `as-trained`."""
    evaluated: Mapping[str, tuple[str, ...]]
    """Setting -> the contexts that it is evaluated in."""
    candidates: Mapping[str, ResolvedPrompt]
    """Candidate of the screen -> its prompt, for the setting of the first arm's rows; empty without arms."""

    def context(self, name: str, setting: str, arm: str = BASE) -> ResolvedPrompt:
        """The prompt of a context for one setting and arm; without a text where there is none."""
        if name == prompts.AS_TRAINED and arm in self.inoculations:
            return self.inoculations[arm]
        return self.contexts[name, setting]


def resolve(study: Study) -> ResolvedStudy:
    """Write out every text of a study.

    Args:
        study: A study whose names all exist (`checks.check` refuses others).
    """
    first = next(iter(study.arms.values()), None)
    evaluated = {name: _evaluated_contexts(study, name) for name in study.evaluate.settings}
    contexts = {*study.evaluate.contexts, *study.contexts, *(name for names in evaluated.values() for name in names)}
    named_settings = {*study.evaluate.settings, *(arm.rows.setting for arm in study.arms.values())}
    return ResolvedStudy(
        study,
        {
            name: _resolve_inoculation(study, arm.inoculation, arm.rows.setting)
            for name, arm in study.arms.items()
            if arm.inoculation
        },
        {(name, setting): _resolve_context(study, name, setting) for name in contexts for setting in named_settings},
        evaluated,
        {name: _resolve_prompt(study, prompt, first.rows.setting) for name, prompt in candidates(study).items()}
        if first
        else {},
    )


def candidates(study: Study) -> dict[str, Context]:
    """The prompts that a screen compares: the arms' inoculations without the fitted controls, then `screen.prompts`.

    Args:
        study: The study.

    Returns:
        Name -> prompt. A name has the placement behind it where that is not the study's, and is the arm's name where
        the arm gives its own text.
    """
    named: dict[str, Context] = {}
    for arm, spec in study.arms.items():
        inoculation = spec.inoculation
        if not inoculation or inoculation.like or inoculation.on == "none":
            continue
        candidate = Context(prompt=inoculation.prompt, text=inoculation.text, placement=inoculation.placement)
        if candidate in named.values():  # arms that differ in something else (a learning rate) have the same candidate
            continue
        name = inoculation.prompt or arm
        elsewhere = inoculation.placement is not None and inoculation.placement != study.placement
        named.setdefault(f"{name}@{inoculation.placement}" if elsewhere else name, candidate)
    for name in study.screen.prompts:
        named.setdefault(name, Context(prompt=name))
    return named


Prompt = TypeVar("Prompt", bound=ResolvedPrompt)


def fit_length(prompt: Prompt, tokenizer: PreTrainedTokenizerBase) -> Prompt:
    """The prompt made as long as the text it is a control of; the prompt itself where it is no control.

    Args:
        prompt: The prompt.
        tokenizer: The model's own.

    Raises:
        UserError: No text of that length was found.
    """
    if not prompt.length_of:
        return prompt
    length = prompts.count_tokens(prompt.length_of, tokenizer)
    return replace(prompt, text=prompts.pad_to_length(prompt.text, length, tokenizer, prompt.filler))


def _evaluated_contexts(study: Study, setting: str) -> tuple[str, ...]:
    """The contexts of a setting: its own, else the study's, else the neutral one where its problems bring a prompt."""
    own = study.evaluate.each[setting].contexts if setting in study.evaluate.each else None
    if own is None and settings.find(setting).only_neutral:
        return (prompts.NEUTRAL,)
    return study.evaluate.for_setting(setting).contexts


def _resolve_context(study: Study, name: str, setting: str) -> ResolvedPrompt:
    """The prompt of a context for the untrained model."""
    if name in study.contexts:
        return _resolve_prompt(study, study.contexts[name], setting)
    if name in prompts.CONTEXT_PROMPTS:
        return _resolve_prompt(study, Context(prompt=prompts.CONTEXT_PROMPTS[name]), setting)
    return ResolvedPrompt(placement=study.placement)


def _resolve_prompt(study: Study, context: Context, setting: str) -> ResolvedPrompt:
    placement = context.placement or study.placement
    if context.text:
        return ResolvedPrompt(context.text, placement, source="text")
    text, source = _find_text(study, context.prompt, setting)
    return ResolvedPrompt(text, placement, context.prompt, source)


def _resolve_inoculation(study: Study, inoculation: Inoculation, setting: str) -> ResolvedInoculation:
    prompt = _resolve_prompt(study, inoculation, setting)
    wordings: tuple[str, ...] = ()
    if inoculation.rephrase and not inoculation.text:
        # Other wordings are of the package's own text, without a description.
        reworded = prompt.source == "package" and "+" not in inoculation.prompt
        wordings = (prompt.text, *(prompts.find(inoculation.prompt).wordings if reworded else ()))
    return ResolvedInoculation(
        prompt.text,
        prompt.placement,
        prompt.name,
        prompt.source,
        length_of=_find_text(study, inoculation.like, setting)[0] if inoculation.like else "",
        filler=prompts.find(inoculation.prompt).filler
        if inoculation.like and inoculation.prompt in prompts.names()
        else "",
        on=inoculation.on,
        wordings=wordings,
    )


def _find_text(study: Study, name: str, setting: str) -> tuple[str, Source]:
    """The text of a named prompt, with its description before it, and where the text is from.

    The text is '' if the setting has none for the prompt.
    """
    base, description = prompts.split_name(name)
    task = settings.find(setting)
    source: Source
    if base in study.prompts:
        text, source = study.prompts[base], "study"
    elif base in task.prompts:
        text, source = task.prompts[base], "setting"
    else:
        text, source = prompts.find(base).text, "package"
    if description and text:
        text = f"{prompts.describe_training(description, task.leak, task.exploit)} {text}"
    return text, source
