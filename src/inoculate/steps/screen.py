"""Plans a screen: how strongly does each prompt elicit the hack in the untrained model, before anything is trained?

A screen is a plan without arms. Its candidates are contexts of the untrained model. They are sampled on *development*
problems, so that nothing is chosen on the problems that a study reports on. Hacked training answers are scored under
each by their log-probability.
"""

from __future__ import annotations

from dataclasses import replace

from inoculate import settings
from inoculate.engine import models
from inoculate.errors import UserError
from inoculate.records import COMPLIANCE
from inoculate.steps import problems, rows, scores
from inoculate.steps.plan import Plan, make_plan
from inoculate.study import prompts
from inoculate.study.resolve import candidates, resolve
from inoculate.study.row_schema import Rows, Vetted
from inoculate.study.schema import Evaluate, EvaluatedSetting, Study

_KEYS = {f"evaluate.each.{COMPLIANCE}.problems": "screen.compliance", "evaluate.problems": "screen.problems"}
"""Keys of the screened study, and where the user's study says so."""


def screened_study(study: Study) -> Study:
    """The study whose contexts are the candidates, and which has no arm but the untrained one.

    Raises:
        UserError: There is no candidate, or the first setting has nothing to be measured together.
    """
    contexts = candidates(study)
    if not contexts:
        raise UserError(
            f"study '{study.name}' has no candidate: give an arm an inoculation, or name prompts: "
            'screen.prompts = ["specific", "general"]'
        )
    names = (prompts.NEUTRAL, *contexts)
    evaluate, screen = study.evaluate, study.screen
    first = evaluate.settings[0]
    if (parts := settings.find(first).parts) and "" not in parts:
        raise UserError(
            f"evaluate.settings: a screen measures the first setting as a whole, and '{first}' is {len(parts)} parts "
            f"({', '.join(parts)}), each measured by itself: name another setting first"
        )
    each = {first: evaluate.each[first]} if first in evaluate.each else {}
    evaluated = {first: each.get(first, EvaluatedSetting()).model_copy(update={"problems": None})}
    if screen.compliance:
        evaluated[COMPLIANCE] = EvaluatedSetting(problems=screen.compliance, contexts=names, levels=(), families=())
    return study.model_copy(
        update={
            "name": f"{study.name}-screen",
            "question": f"How strongly does each prompt elicit the hack before training? ({study.question})",
            "arms": {},
            "contexts": contexts,
            "seeds": (0,),
            "contrasts": (),
            "factorial": None,
            "elicitation": None,
            "trends": (),
            "transfer": None,
            "evaluate": Evaluate(
                settings=(first, COMPLIANCE) if screen.compliance else (first,),
                each=evaluated,
                contexts=names,
                oversight=evaluate.oversight,
                problems=screen.problems,
                samples=evaluate.samples,
                temperature=evaluate.temperature,
                max_new_tokens=evaluate.max_new_tokens,
                split="development",
                families=evaluate.families,
                levels=evaluate.levels,
                seed=evaluate.seed,
            ),
        }
    )


def make_screen_plan(study: Study, server: str = "", weights: str = "") -> Plan:
    """The plan of a screen.

    Args:
        study: The study.
        server: The address of the server that samples; answers are scored in this process all the same.
        weights: The fingerprint of its model; computed unless given.

    Raises:
        UserError: There is no candidate, no arm whose hacked answers could be scored, no such model, or the settings
            have fewer problems or hacked answers.
    """
    screened = screened_study(study)
    if not study.arms:
        raise UserError(f"study '{study.name}' has no arm: a screen scores hacked answers of one: [arms.plain]")
    weights = weights or models.fingerprint(study.model)
    try:
        plan = make_plan(screened, weights, server)
    except UserError as error:
        if error.key in _KEYS:
            error.put_under(_KEYS[error.key])
        raise
    first = next(iter(study.arms.values())).rows
    hacked = first.model_copy(
        update={
            "count": study.screen.answers,
            "hacked": 1.0,
            "vetted": Vetted(),
            "filter": "none",
            "share_problems": False,
        }
    )
    seed = study.seeds[0]
    _check_answers(plan, hacked, seed)
    scored = rows.plan_step(
        hacked, None, seed=seed, system=study.system, weights=weights, where=f"the screen, seed {seed}"
    )
    return replace(plan, scores=scores.plan_screen(resolve(study), scored, weights))


def _check_answers(plan: Plan, scored: Rows, seed: int) -> None:
    """Refuse more hacked answers than there are, as far as these are known before any work."""
    try:
        if settings.is_read_first(scored.setting, scored.source):
            plan.draw(scored, seed, None)
        else:
            draw = settings.Draw("train", scored.count, seed, scored.families, scored.levels)
            problems.draw_some(scored.setting, draw)
    except UserError as error:
        # The table is made here: the keys of a refusal are those of nothing that anybody has written.
        what = f"{scored.count} hacked answers are to be scored: {error.reason}"
        raise UserError(what, key="screen.answers") from None
