"""Screening prompts on the untrained model: how strongly each elicits the hack, before anything is trained.

A screen is a plan without arms: the candidates are contexts of the untrained model, sampled on *development* problems,
so that nothing is chosen on the problems that a study reports on; and the log-probability of hacked training answers is
taken under each. Run again, it does what is missing only, like every plan.
"""

from __future__ import annotations

from inoculate.engine import models
from inoculate.errors import UserError
from inoculate.steps.plan import Plan, make, rows_step
from inoculate.steps.store import Step
from inoculate.study import prompts
from inoculate.study.schema import Context, Each, Evaluate, Inoculation, Study

COMPLIANCE = "compliance"
"""The setting whose tasks are sampled under every candidate where the study asks for it."""


def candidates(study: Study) -> dict[str, Context]:
    """The prompts that are screened: the arms' inoculations without the fitted controls, then `screen.prompts`.

    Args:
        study: The study.

    Returns:
        Name -> prompt. A name has the placement behind it where that is not the study's, and the arm's name where the
        arm gives its own text.

    Raises:
        UserError: There is none.
    """
    found: dict[str, Context] = {}
    for arm, spec in study.arms.items():
        given = spec.inoculation
        # Arms that differ in something else (a learning rate) have the same candidate.
        if given and not given.like and given.on != "none" and _plain(given) not in found.values():
            named = given.prompt or arm
            own = given.placement is not None and given.placement != study.placement
            found.setdefault(f"{named}@{given.placement}" if own else named, _plain(given))
    for name in study.screen.prompts:
        found.setdefault(name, Context(prompt=name))
    if not found:
        raise UserError(
            f"study '{study.name}' has no candidate: give an arm an inoculation, or name prompts: "
            'screen.prompts = ["specific", "general"]'
        )
    return found


def _plain(given: Inoculation) -> Context:
    return Context(prompt=given.prompt, text=given.text, placement=given.placement)


def derived(study: Study) -> Study:
    """The study whose contexts are the candidates, and which has no arm but the untrained one."""
    contexts = candidates(study)
    names = (prompts.NEUTRAL, *contexts)
    evaluated, wanted = study.evaluate, study.screen
    first = evaluated.settings[0]
    each = {first: evaluated.each[first]} if first in evaluated.each else {}
    own = {first: each.get(first, Each()).model_copy(update={"problems": None})}
    if wanted.compliance:
        own[COMPLIANCE] = Each(problems=wanted.compliance, contexts=names, levels=(), families=())
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
            "evaluate": Evaluate(
                settings=(first, COMPLIANCE) if wanted.compliance else (first,),
                each=own,
                contexts=names,
                oversight=evaluated.oversight,
                problems=wanted.problems,
                samples=evaluated.samples,
                temperature=evaluated.temperature,
                max_new_tokens=evaluated.max_new_tokens,
                split="development",
                families=evaluated.families,
                levels=evaluated.levels,
                seed=evaluated.seed,
            ),
        }
    )


def make_screen(study: Study, server: str = "") -> Plan:
    """The plan of a screen.

    Args:
        study: The study.
        server: The address of the server that samples; answers are scored in this process all the same.

    Raises:
        UserError: There is no candidate, no arm whose hacked answers could be scored, or the model is none.
    """
    screened = derived(study)
    if not study.arms:
        raise UserError(f"study '{study.name}' has no arm: a screen scores hacked answers of one: [arms.plain]")
    plan = make(screened, server=server)
    weights = models.fingerprint(study.model)
    arm = next(iter(study.arms.values()))
    hacked = {"count": study.screen.answers, "hacked": 1.0, "vetted": 0, "filter": "none", "share_problems": False}
    bare = arm.model_copy(update={"rows": arm.rows.model_copy(update=hacked), "inoculation": None})
    said = [
        {"name": name, "text": text, "placement": placement}
        for name, context in screened.contexts.items()
        for text, placement in [_words(study, context, arm.rows.setting)]
    ]
    scores = Step(
        "scores",
        {"model": weights, "system": study.system, "candidates": said},
        {"rows": rows_step(study, "the screen", bare, study.seeds[0], weights)},
        label=f"log-probabilities of {study.screen.answers} hacked answers under {len(said)} prompts",
    )
    return Plan(screened, plan.cells, [], scores, server)


def _words(study: Study, context: Context, setting: str) -> tuple[str, prompts.Placement]:
    return context.text or study.prompt_text(context.prompt, setting), context.placement or study.placement
