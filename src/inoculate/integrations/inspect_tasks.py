"""Every setting as an Inspect task: `inspect eval inoculate/functions --model PROVIDER/MODEL`.

Inspect finds this module through the package's entry point. So the answers of any model of any provider can be graded
in the sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import get_args

from inspect_ai import Task, task
from inspect_ai._util.error import PrerequisiteError  # what Inspect shows without a traceback
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessage, ChatMessageSystem, ChatMessageUser
from inspect_ai.solver import generate

from inoculate import settings
from inoculate.errors import UserError, require_known
from inoculate.integrations.inspect_scorer import outcome
from inoculate.records import SPLITS, Problem, Split
from inoculate.settings import Draw, Setting
from inoculate.study import prompts
from inoculate.study.prompts import Placement
from inoculate.study.resolve import ResolvedPrompt, resolve
from inoculate.study.schema import Evaluate, Study


def _make_task(name: str) -> Callable[..., Task]:
    @task(name=name)
    def setting_task(
        split: Split = "test",
        count: int = 100,
        seed: int = 0,
        levels: int | Sequence[int] = (),
        context: str = prompts.NEUTRAL,
        placement: Placement = "inside",
        oversight: str = "",
        source: str = "",
        grader: str = "",
    ) -> Task:
        try:
            setting = settings.find(name)
            require_known(split, SPLITS, "unknown split")
            require_known(placement, get_args(Placement), "unknown placement")
            require_known(oversight or setting.oversights[0], setting.oversights, "unknown oversight")
            # Inspect's command line gives `-T levels=1` as a number and `-T levels=[1,2]` as a list.
            chosen = (levels,) if isinstance(levels, int) else tuple(levels)
            draw = Draw(split, count, seed, levels=chosen, source=source, grader=grader)
            return _build_task(setting, draw, _resolve_context(setting, context, placement), oversight)
        except UserError as error:
            raise PrerequisiteError(f"inoculate/{name}: {error}") from None

    return setting_task


TASKS = {name: _make_task(name) for name in settings.names()}


def _resolve_context(setting: Setting, name: str, placement: Placement) -> ResolvedPrompt:
    """The prompt of a context, resolved as in a study."""
    require_known(name, (prompts.NEUTRAL, *prompts.contexts()), "unknown context")
    if setting.only_neutral and name != prompts.NEUTRAL:
        raise UserError(f"its problems have prompts of their own: only the context '{prompts.NEUTRAL}' makes sense")
    study = Study(
        name="inspect",
        question="inspect",
        model="inspect",
        seeds=(0,),
        arms={},
        placement=placement,
        evaluate=Evaluate(settings=(setting.name,), contexts=(name,)),
    )
    prompt = resolve(study).context(name, setting.name)
    if name != prompts.NEUTRAL and not prompt.text:
        raise UserError(f"this setting has no prompt for the context '{name}'")
    return prompt


def _build_task(setting: Setting, draw: Draw, prompt: ResolvedPrompt, oversight: str) -> Task:
    problems = setting.problems(draw)
    _check_grading(setting, problems[0])
    return Task(
        dataset=MemoryDataset([_make_sample(problem, prompt) for problem in problems], name=setting.name),
        solver=generate(),
        scorer=outcome(oversight),
        version=setting.version,
    )


def _check_grading(setting: Setting, problem: Problem) -> None:
    """Grade one known answer, so that a machine that cannot grade fails before any model is called."""
    (grade,) = setting.grade([problem], [problem.honest], setting.oversights[0])
    if grade.outcome == "ungraded":
        raise UserError(f"this machine cannot grade: {grade.detail}")


def _make_sample(problem: Problem, prompt: ResolvedPrompt) -> Sample:
    chat: list[ChatMessage] = [
        ChatMessageSystem(content=message.content)
        if message.role == "system"
        else ChatMessageUser(content=message.content)
        for message in prompts.messages(problem, prompt.text, prompt.placement, "")
    ]
    return Sample(id=problem.id, input=chat, target=problem.honest, metadata=asdict(problem))
