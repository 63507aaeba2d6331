"""A study with all its texts written out: every prompt, wording, context, control and description, once.

A study file mostly names its prompts. What a name stands for depends on the study, the setting and the package;
`resolve` looks it up and puts the text together. Everything after that (plan, steps, screen, manifest, integrations)
reads the result. Only the length of a control is set later, because it needs the model's tokenizer
(`fit_length`).

The way of an inoculation: study file -> `Study` (its name) -> `resolve` (its text) -> parameters of the rows step ->
`fit_length` -> `prompts.messages` (around a problem) -> chat template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Literal, TypeVar

from inoculate import settings
from inoculate.errors import UserError
from inoculate.records import BASE
from inoculate.study import controls, descriptions, neighbours, prompts
from inoculate.study.descriptions import USUAL, reward_of
from inoculate.study.prompts import Placement
from inoculate.study.row_schema import (
    DIVERSE,
    INOCULATION,
    NO_PROMPT,
    Context,
    Inoculation,
    Rows,
    TrajectorySource,
    Vetted,
)
from inoculate.study.schema import Reward, Study

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
    """The text that fills it up to that length."""
    wordings: tuple[str, ...] = ()
    """What rows, or problems, take in turn, `text` first; empty where all take `text`."""


@dataclass(frozen=True)
class ResolvedInoculation(ResolvedPrompt):
    """The prompt of an arm's rows."""

    on: Literal["all", "hacked", "none"] = "all"
    """Which rows get it. Vetted rows never do."""
    one_of: tuple[ResolvedInoculation, ...] = ()
    """The prompts of which each seed takes one; empty where all seeds have this one."""

    def for_seed(self, seed: int) -> ResolvedInoculation:
        """The prompt of one seed's rows.

        It depends on the seed alone, so that more seeds change nothing. Of N prompts, the seeds 0 to N - 1 take each
        once, in pseudo-random order, and so do the next N seeds.
        """
        if not self.one_of:
            return self
        turn, place = divmod(seed, len(self.one_of))
        order = list(self.one_of)
        Random(f"one of {len(order)}/{turn}").shuffle(order)
        return order[place]


@dataclass(frozen=True)
class ResolvedStudy:
    """A study, and every text that it shows to a model beside the problems."""

    study: Study
    inoculations: Mapping[str, ResolvedInoculation]
    """Arm -> the prompt of its (first) rows; arms without one are left out. Read with `inoculation`."""
    further: Mapping[tuple[str, str], ResolvedInoculation]
    """(arm, setting) -> the prompt of its rows from a further setting."""
    sampling: Mapping[tuple[str, str], ResolvedInoculation]
    """(arm, setting) -> the prompt of its own under which the completions are drawn anew that are its rows; read with
    `sampling_prompt`."""
    vetted: Mapping[tuple[str, str], ResolvedPrompt]
    """(arm, setting) -> what its vetted rows stand under, the texts that they take in turn in `wordings`; those without
    a prompt, and those under the arm's own, are left out."""
    contexts: Mapping[tuple[str, str], ResolvedPrompt]
    """(context, setting) -> its prompt, for every context and every setting that the study names; read with
    `context`, which knows the context `as-trained`."""
    evaluated: Mapping[str, tuple[str, ...]]
    """Setting -> the contexts that it is evaluated in."""
    candidates: Mapping[str, ResolvedPrompt]
    """Candidate of the screen -> its prompt, for the setting of the first arm's rows; empty without arms."""

    def inoculation(self, arm: str, seed: int, setting: str = "") -> ResolvedInoculation | None:
        """The prompt of an arm's rows (of those from one setting, if one is named) at one seed; None for none."""
        if arm not in self.inoculations:
            return None
        return self.further.get((arm, setting), self.inoculations[arm]).for_seed(seed)

    def prompts_on(self, setting: str, seed: int) -> dict[str, ResolvedInoculation]:
        """The different prompts of the arms that train on a setting, at one seed.

        Returns:
            Name -> prompt; the arm's name where the text has none, and behind it where two texts have the same.
        """
        named: dict[str, ResolvedInoculation] = {}
        for arm, spec in self.study.arms.items():
            prompt = self.inoculation(arm, seed, setting)
            if prompt is None or all(rows.setting != setting for rows in spec.row_tables):
                continue
            shown = replace(prompt, on="all", wordings=())  # which rows have it makes it no other prompt
            name = prompt.name or arm
            if shown not in named.values():
                named[f"{name} ({arm})" if name in named else name] = shown
        return named

    def sampling_prompt(self, arm: str, seed: int, rows: Rows) -> ResolvedInoculation | None:
        """The prompt under which the completions are drawn anew that are an arm's rows; None for none.

        It is that of the arm whose policy draws them, unless the rows give another.

        Args:
            arm: The arm that trains on them.
            seed: The seed of both arms.
            rows: The table of its rows.
        """
        own = self.sampling.get((arm, rows.setting))
        return own or (self.inoculation(rows.trajectories.arm, seed, rows.setting) if rows.trajectories else None)

    def context(self, name: str, setting: str, arm: str = BASE, seed: int | None = None) -> ResolvedPrompt:
        """The prompt of a context for one setting, arm and seed; without a text where there is none."""
        if name == prompts.AS_TRAINED and arm in self.inoculations:
            prompt = self.further.get((arm, setting), self.inoculations[arm])
            return prompt if seed is None else prompt.for_seed(seed)
        return self.contexts[name, setting]


def resolve(study: Study) -> ResolvedStudy:
    """Write out every text of a study.

    Args:
        study: A study whose names all exist (`checks.check` refuses others).

    Raises:
        UserError: A neighbour of a prompt cannot be made.
    """
    first = next(iter(study.arms.values()), None)
    evaluated = {name: evaluated_contexts(study, name) for name in study.evaluate.settings}
    contexts = {*study.evaluate.contexts, *study.contexts, *(name for names in evaluated.values() for name in names)}
    trained_on = {rows.setting for arm in study.arms.values() for rows in arm.row_tables}
    named_settings = {*study.evaluate.settings, *trained_on}
    return ResolvedStudy(
        study,
        {
            name: _resolve_inoculation(study, arm.inoculation, arm.rows.setting, reward_of(study, arm, arm.rows))
            for name, arm in study.arms.items()
            if arm.inoculation
        },
        {
            (name, rows.setting): _resolve_inoculation(
                study, arm.inoculation, rows.setting, reward_of(study, arm, rows)
            )
            for name, arm in study.arms.items()
            for rows in arm.more_rows
            if arm.inoculation and rows.setting != arm.rows.setting
        },
        {
            (name, rows.setting): _resolve_inoculation(
                study, _sampled_under(rows.trajectories), rows.setting, reward_of(study, arm, rows)
            )
            for name, arm in study.arms.items()
            for rows in arm.row_tables
            if rows.trajectories and rows.trajectories.has_prompt
        },
        {
            (name, rows.setting): _resolve_vetted(study, rows.vetted, rows.setting)
            for name, arm in study.arms.items()
            for rows in arm.row_tables
            if rows.vetted.prompt not in (NO_PROMPT, INOCULATION)
        },
        {(name, setting): _resolve_context(study, name, setting) for name in contexts for setting in named_settings},
        evaluated,
        {name: _resolve_prompt(study, prompt, first.rows.setting, USUAL) for name, prompt in candidates(study).items()}
        if first
        else {},
    )


def candidates(study: Study) -> dict[str, Context]:
    """The prompts that a screen compares: the arms' inoculations without the fitted controls, then `screen.prompts`.

    Args:
        study: The study.

    Returns:
        Name -> prompt. A name has the placement behind it where that is not the study's, and is the arm's name where
        the arm gives its own text. A description of another reward than the usual one is written out, because a screen
        has no arms to take the reward from. The arm stands behind a name that another candidate, or the context without
        a prompt, has, and 'screen' where it is one of `screen.prompts`.
    """
    named: dict[str, Context] = {}

    def add(name: str, owner: str, candidate: Context) -> None:
        if _placed(study, candidate) in [_placed(study, other) for other in named.values()]:
            return  # arms that differ in something else have the same candidate
        taken = name in named or name == prompts.NEUTRAL  # which a screen has without any candidate
        named[f"{name} ({owner})" if taken else name] = candidate

    for arm, spec in study.arms.items():
        inoculation = spec.inoculation
        if not inoculation or inoculation.like or not spec.trains_with_prompt:
            continue
        for prompt in inoculation.one_of or (inoculation.prompt,):
            candidate = Context(prompt=prompt, text=inoculation.text, placement=inoculation.placement)
            elsewhere = inoculation.placement is not None and inoculation.placement != study.placement
            name = f"{prompt or arm}@{inoculation.placement}" if elsewhere else prompt or arm
            add(name, arm, _write_out(study, candidate, reward_of(study, spec, spec.rows)))
    for name in study.screen.prompts:
        add(name, "screen", _write_out(study, Context(prompt=name), None))
    return named


def _placed(study: Study, context: Context) -> Context:
    """A prompt with its placement written out."""
    return context.model_copy(update={"placement": context.placement or study.placement})


def _write_out(study: Study, candidate: Context, rewards: Sequence[Reward] | None) -> Context:
    """A candidate with its whole text, where it describes another reward than the usual one."""
    if not candidate.prompt or prompts.split_name(candidate.prompt)[1] is None:
        return candidate
    setting = next(iter(study.arms.values())).rows.setting if study.arms else study.evaluate.settings[0]
    told, usual = (_find_text(study, candidate.prompt, setting, given)[0] for given in (rewards, USUAL))
    return candidate if told == usual or not told else Context(text=told, placement=candidate.placement)


Prompt = TypeVar("Prompt", bound=ResolvedPrompt)


def fit_length(prompt: Prompt, tokenizer: PreTrainedTokenizerBase) -> Prompt:
    """The prompt made as long as the text it is a control of; the prompt itself where it is no control.

    Args:
        prompt: The prompt.
        tokenizer: The model's own.

    Raises:
        UserError: No text of that length can be made.
    """
    if not prompt.length_of:
        return prompt
    length = controls.count_tokens(prompt.length_of, tokenizer)
    return replace(prompt, text=controls.fit_control(prompt.text, prompt.filler, length, tokenizer))


def evaluated_contexts(study: Study, setting: str) -> tuple[str, ...]:
    """The contexts that a study evaluates a setting in.

    They are its own, else the study's, else the neutral one where its problems bring a prompt.
    """
    own = study.evaluate.each[setting].contexts if setting in study.evaluate.each else None
    if own is None and settings.find(setting).only_neutral:
        return (prompts.NEUTRAL,)
    return study.evaluate.for_setting(setting).contexts


def _resolve_context(study: Study, name: str, setting: str) -> ResolvedPrompt:
    """The prompt of a context for the untrained model."""
    if name in study.contexts:
        return _resolve_prompt(study, study.contexts[name], setting)
    if neighbours.MARK in name:
        return _resolve_prompt(study, Context(prompt=name), setting)
    if prompt := prompts.contexts().get(name):
        return _resolve_prompt(study, Context(prompt=prompt, placement=prompts.find(prompt).placement), setting)
    return ResolvedPrompt(placement=study.placement)


def _resolve_prompt(
    study: Study, context: Context, setting: str, rewards: Sequence[Reward] | None = None
) -> ResolvedPrompt:
    """A prompt for one setting; a description is of `rewards`, or of what the study rewards there without an arm."""
    placement = context.placement or study.placement
    if context.text:
        return ResolvedPrompt(context.text, placement, source="text")
    text, source = _find_text(study, context.prompt, setting, rewards)
    moved = neighbours.split(prompts.split_name(context.prompt)[0])[1] == "moved"
    return ResolvedPrompt(text, neighbours.move(placement) if moved else placement, context.prompt, source)


def _resolve_inoculation(
    study: Study, inoculation: Inoculation, setting: str, rewards: Sequence[Reward]
) -> ResolvedInoculation:
    if inoculation.one_of:
        fields = {"one_of": ()}
        each = [inoculation.model_copy(update=fields | {"prompt": name}) for name in inoculation.one_of]
        resolved = tuple(_resolve_inoculation(study, one, setting, rewards) for one in each)
        return replace(resolved[0], one_of=resolved)
    prompt = _resolve_prompt(study, inoculation, setting, rewards)
    made = ResolvedInoculation(prompt.text, prompt.placement, prompt.name, prompt.source, on=inoculation.on)
    if inoculation.like:
        return replace(
            made,
            length_of=_find_text(study, inoculation.like, setting, rewards)[0],
            filler=_find_filler(inoculation.prompt, prompt.source),
        )
    if not inoculation.rephrase or inoculation.text:
        return made
    # Other wordings are of the package's own text, without a description.
    reworded = prompt.source == "package" and "+" not in inoculation.prompt
    wordings = prompts.find(inoculation.prompt).pool(inoculation.rephrase) if reworded else (prompt.text,)
    if len(wordings) < 2:
        return replace(made, wordings=wordings)
    if inoculation.per_seed:
        each = tuple(replace(made, text=text) for text in wordings)
        return replace(each[0], one_of=each)
    return replace(made, text=wordings[0], wordings=wordings)


def _resolve_vetted(study: Study, vetted: Vetted, setting: str) -> ResolvedPrompt:
    if vetted.prompt == DIVERSE:
        texts = prompts.diverse()
        return ResolvedPrompt(texts[0], study.placement, DIVERSE, "package", wordings=texts)
    prompt = _resolve_prompt(study, Context(prompt=vetted.prompt), setting)
    return replace(prompt, wordings=(prompt.text,))


def _sampled_under(source: TrajectorySource) -> Inoculation:
    return Inoculation(prompt=source.prompt, text=source.text, placement=source.placement)


def _find_filler(name: str, source: Source) -> str:
    """What fills up a control: the prompt's own text, or the irrelevant sentences where it has none."""
    own = prompts.find(name).filler if source == "package" and "+" not in name else ""
    irrelevant = prompts.find("irrelevant")
    return own or f"{irrelevant.text} {irrelevant.filler}"


def _find_text(study: Study, name: str, setting: str, rewards: Sequence[Reward] | None = None) -> tuple[str, Source]:
    """The text of a named prompt, with its description before it, and where the text is from.

    The text is '' if the setting has none for the prompt, or none for its description.

    Raises:
        UserError: There is no one reward that could be described.
    """
    base, description = prompts.split_name(name)
    task = settings.find(setting)
    source: Source
    if base in study.prompts:
        text, source = study.prompts[base], "study"
    elif neighbours.MARK in base:
        text, source = _find_neighbour(study, base, setting)
    elif base in task.prompts:
        text, source = task.prompts[base], "setting"
    else:
        text, source = prompts.find(base).text, "package"
    if description and text:
        described = _describe(study, name, description, setting, rewards)
        text = f"{described} {text}" if described else ""
    return text, source


def _describe(
    study: Study, name: str, description: prompts.Description, setting: str, rewards: Sequence[Reward] | None
) -> str:
    try:
        given = descriptions.reward_on(study, setting) if rewards is None and description != "false" else rewards
    except UserError as error:
        raise UserError(f"the prompt '{name}': {error}") from None
    return descriptions.describe_training(description, settings.find(setting), given or USUAL)


def _find_neighbour(study: Study, name: str, setting: str) -> tuple[str, Source]:
    """The text of a neighbour: written by hand for this text of the prompt, or made of it by rules.

    The text is '' if the setting has none for the prompt.

    Raises:
        UserError: Rules cannot make it.
    """
    base, _ = neighbours.split(name)
    text, source = _find_text(study, base, setting)
    for other in prompts.names():
        if text and prompts.find(other).neighbour == name:
            written, from_where = _find_text(study, other, setting)
            # The package's words for it are of the package's prompt: not where a setting or study has its own.
            if written and from_where in ("study", source):
                return written, from_where
    return (neighbours.make(name, text) if text else ""), source
