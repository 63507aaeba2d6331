"""A methods section for a paper: the study as it was run, with versions and the sources of every method.

It contains what is in the manifest, what was trained on, and no results. Its text is in `methods.jinja`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment

from inoculate import settings
from inoculate.analysis import contrasts_hash
from inoculate.analysis.arms import row_tables
from inoculate.analysis.borrowing import FEWEST_ARMS, UNLIKE
from inoculate.analysis.claims import declared_trends
from inoculate.analysis.run_folder import Run, split_finished
from inoculate.analysis.truth import analyse_truth
from inoculate.analysis.verdicts import VERDICT_SEEDS
from inoculate.errors import UserError
from inoculate.grading.sandbox.containment import MEANING

_SOURCES = {
    "Allal et al. 2025": "SmolLM2: When Smol Goes Big. arXiv 2502.02737",
    "Anthony et al. 2017": "Thinking Fast and Slow with Deep Learning and Tree Search. NeurIPS; arXiv 1705.08439",
    "Austin et al. 2021": "Program Synthesis with Large Language Models. arXiv 2108.07732",
    "Banerjee 1960": "Approximate confidence interval for linear functions of means of k populations when the "
    "population variances are not equal. Sankhya 22",
    "Cameron et al. 2011": "Robust inference with multiway clustering. Journal of Business & Economic Statistics 29",
    "Holm 1979": "A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6",
    "Hu et al. 2022": "LoRA: Low-Rank Adaptation of Large Language Models. ICLR; arXiv 2106.09685",
    "Hui et al. 2024": "Qwen2.5-Coder Technical Report. arXiv 2409.12186",
    "Korn and Graubard 1998": "Confidence intervals for proportions with small expected number of positive counts "
    "estimated from survey data. Survey Methodology 24",
    "Lan and DeMets 1983": "Discrete sequential boundaries for clinical trials. Biometrika 70",
    "Liang and Zeger 1986": "Longitudinal data analysis using generalized linear models. Biometrika 73",
    "Mangrulkar et al. 2022": "PEFT: State-of-the-art Parameter-Efficient Fine-Tuning methods. Software, Hugging Face",
    "Newcombe 1998": "Improved confidence intervals for the difference between binomial proportions based on paired "
    "data. Statistics in Medicine 17, 2635-2650",
    "Smyth 2004": "Linear models and empirical Bayes methods for assessing differential expression in microarray "
    "experiments. Statistical Applications in Genetics and Molecular Biology 3(1), article 3",
    "Shao et al. 2024": "DeepSeekMath: Pushing the limits of mathematical reasoning in open language models. arXiv "
    "2402.03300",
    "Schuirmann 1987": "A comparison of the two one-sided tests procedure and the power approach for assessing the "
    "equivalence of average bioavailability. Journal of Pharmacokinetics and Biopharmaceutics 15",
    "Tan et al. 2025": "Inoculation Prompting: Eliciting traits from LLMs during training can suppress them at "
    "test-time. arXiv 2510.04340",
    "von Werra et al. 2020": "TRL: Transformer Reinforcement Learning. Software, Hugging Face",
    "Wichers et al. 2025": "Inoculation Prompting: Instructing LLMs to misbehave at train-time improves test-time "
    "alignment. arXiv 2510.05024",
    "Wolf et al. 2020": "Transformers: State-of-the-Art Natural Language Processing. EMNLP, System Demonstrations",
    "Zou and Donner 2008": "Construction of confidence limits about effect measures: a general approach. Statistics in "
    "Medicine 27",
}
_MODEL_SOURCES = {"qwen2.5-coder": "Hui et al. 2024", "smollm2": "Allal et al. 2025"}
_PLACEMENTS = {
    "system": "as a paragraph after the system prompt",
    "before": "as a paragraph before the task",
    "inside": "between the task's opening sentence and the rest",
    "after": "as a paragraph after the task",
}
_ROW_CHOICES = {"all": "on every row", "hacked": "on the hacked rows only", "none": "on no row"}
_PROBLEM_CHOICES = {
    "all": "on every problem",
    "hacked": "on the problems that can be hacked only",
    "none": "on no problem",
}


def write_methods(run: Run, outcomes: Counter[str]) -> str:
    """The section as Markdown, with the sources that it cites.

    Args:
        run: The run.
        outcomes: Number of samples with each outcome, over all finished cells.
    """
    environment = Environment(trim_blocks=True, lstrip_blocks=True)
    for filter_function in (_setting, _describe_problems, _inoculation, _context, _join_and, _counted, _one_line):
        environment.filters[filter_function.__name__.removeprefix("_")] = filter_function
    template = files("inoculate.integrations").joinpath("methods.jinja").read_text(encoding="utf-8")
    body = environment.from_string(template).render(_template_values(run, outcomes))
    cited = [f"- {name}. {source}." for name, source in _SOURCES.items() if name in body]
    return "\n".join([body, "", *cited, ""])


def _template_values(run: Run, outcomes: Counter[str]) -> dict[str, Any]:
    study, manifest, evaluate = run.study, run.manifest, run.study["evaluate"]
    level = manifest.get("containment") or "not recorded"
    added = manifest.get("extended_seeds") or []
    model = str(study["model"]).lower()
    cited = {"transformers": " (Wolf et al. 2020)"}
    return {
        "study": study,
        "manifest": manifest,
        "evaluate": evaluate,
        "model_source": next((f" ({source})" for name, source in _MODEL_SOURCES.items() if name in model), ""),
        "row_settings": dict.fromkeys(table["setting"] for arm in study["arms"].values() for table in row_tables(arm)),
        "all_rl": all(arm.get("method", "sft") != "sft" for arm in study["arms"].values()),
        "truths": _describe_truth(run),
        "training_descriptions": _training_descriptions(study["arms"]),
        "seeds": f"{_counted(len(study['seeds']), 'seed')} ({', '.join(map(str, study['seeds']))})",
        "added": added,
        "planned": len(set(study["seeds"]) - set(added)),
        "evaluated": _describe_evaluation(evaluate),
        "system_prompt": _system_prompt(run),
        "shares": [f"{share:.0%}" for share in evaluate["fractions"] if share != 1],
        "chosen": [name for name, arm in study["arms"].items() if (arm.get("rl") or {}).get("checkpoint")],
        "runs_code": _runs_code(study),
        "level": level,
        "containment_meaning": MEANING[level].split(":", 1)[0] if level in MEANING else "not recorded",
        "ungraded": outcomes["ungraded"],
        "samples": sum(outcomes.values()),
        "missing": len(split_finished(run)[1]),
        "cells": len(manifest["cells"]),
        "margins": dict.fromkeys(f"{100 * contrast['margin']:g}" for contrast in study["contrasts"]),
        "changed": manifest.get("declared_contrasts_hash") != contrasts_hash(study["contrasts"]),
        "later_trends": len(study.get("trends") or ()) - len(declared_trends(manifest)),
        "same": any(contrast.get("same") for contrast in study["contrasts"]),
        "verdict_seeds": VERDICT_SEEDS,
        "unlike": f"{UNLIKE:g}",
        "fewest_arms": FEWEST_ARMS,
        "versions": [
            f"{name} {number}{cited.get(name, '')}" for name, number in (manifest.get("versions") or {}).items()
        ],
        "machine": manifest.get("machine") or {},
        "machines": _describe_machines(manifest.get("machines") or []),
        "engines": manifest.get("engines") or [],
    }


def _describe_machines(machines: list[dict[str, Any]]) -> list[str]:
    """What each machine did, in a clause; empty where one machine did all, and is the one described."""
    if len(machines) < 2 and not any(machine["imported"] for machine in machines):
        return []
    described = []
    for machine in machines:
        seeds = ["the untrained model"] * machine["base"]
        if machine["seeds"]:
            seeds.append(f"{_plural('seed', machine['seeds'])} {_join_and(machine['seeds'])}")
        versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
        facts = "; ".join(filter(None, [", ".join(machine["devices"]), versions])) or "not recorded"
        described.append(f"{machine['name']} ({_join_and(seeds) or 'nothing that is left'}; {facts})")
    return described


def _plural(noun: str, items: list[Any]) -> str:
    return noun if len(items) == 1 else f"{noun}s"


def _describe_truth(run: Run) -> list[str]:
    """For each arm whose prompt says something of answers: of how many of the rows on which it stands it is true."""
    counted: dict[str, Counter[str]] = {}
    for entry in analyse_truth(run):
        for one in entry["prompts"]:
            if one["with_prompt"]:
                counts = {key: one["with_prompt"][key] for key in ("true", "false", "unknown")}
                counted.setdefault(entry["arm"], Counter()).update(counts)
    return [
        f"{of['true']} of {of['true'] + of['false']} for `{arm}`"
        + (f" ({of['unknown']} not known)" * bool(of["unknown"]))
        for arm, of in counted.items()
    ]


def _training_descriptions(arms: dict[str, Any]) -> dict[str, list[str]]:
    """Description of training -> the arms that were trained so."""
    descriptions: dict[str, list[str]] = {}
    for name, arm in arms.items():
        descriptions.setdefault(_describe_training(arm), []).append(f"`{name}`")
    return descriptions


def _describe_training(arm: dict[str, Any]) -> str:
    method = arm.get("method", "sft")
    if method == "expert-iteration":
        return _describe_expert_iteration(arm["rl"], arm["train"])
    return _describe_rl(arm["rl"]) if method == "rl" else _describe_sft(arm["train"])


def _describe_adapters(train: dict[str, Any]) -> str:
    return (
        f"We trained LoRA adapters (Hu et al. 2022; rank {train['lora_rank']}, alpha {train['lora_alpha']}, no "
        "dropout, on all linear layers)"
    )


def _describe_sft(train: dict[str, Any]) -> str:
    return (
        f"{_describe_adapters(train)} by supervised fine-tuning with TRL (von Werra et al. 2020) and PEFT "
        f"(Mangrulkar et al. 2022), loss on the answer only: learning rate {train['learning_rate']:g} "
        f"({train['schedule']} schedule, warm-up over {train['warmup']:.0%} of the steps), "
        f"{_counted(train['epochs'], 'epoch')}, {train['batch_rows']} rows per step, AdamW with weight decay "
        f"{train['weight_decay']:g}, gradients clipped at norm 1."
    )


def _describe_rl(rl: dict[str, Any]) -> str:
    return (
        f"{_describe_adapters(rl)} by reinforcement learning: GRPO (Shao et al. 2024) with TRL (von Werra et al. "
        f"2020) and PEFT (Mangrulkar et al. 2022). {_describe_drawing(rl, 'step')} "
        f"Advantages are rewards minus their group's mean{_SCALES[rl['scale']]}; TRL's loss `{rl['loss']}`, ratios "
        f"clipped to [{1 - rl['clip_low']:g}, {1 + rl['clip_high']:g}] (never reached: one update for each batch), "
        f"weight of the divergence from the untrained model {rl['beta']:g}, completions that were cut off "
        f"{'left out of' if rl['mask_cut_off'] else 'kept in'} the loss; learning rate {rl['learning_rate']:g} "
        f"({rl['schedule']} schedule, warm-up over {rl['warmup']:.0%} of the steps), AdamW with weight decay "
        f"{rl['weight_decay']:g}, gradients clipped at norm {rl['max_grad_norm']:g}. {_describe_checkpoint(rl)}"
    )


def _describe_drawing(rl: dict[str, Any], step: str) -> str:
    return (
        f"There were {_counted(rl['steps'], step)} of {_counted(rl['prompts_per_step'], 'problem')} with "
        f"{rl['completions_per_prompt']} completions each, drawn at temperature {rl['temperature']:g} with at most "
        f"{rl['max_new_tokens']} new tokens. The reward was {_join_and(map(_reward, rl['reward']))}; the intended "
        f"check was taken at every {step} and never rewarded."
    )


def _describe_expert_iteration(rl: dict[str, Any], train: dict[str, Any]) -> str:
    return (
        f"Expert iteration (Anthony et al. 2017): {_describe_drawing(rl, 'round')} After each round the model was "
        "trained on the completions that the reward passed and that ended by themselves, from the adapter of the "
        f"round before: {_describe_sft(train)} {_describe_checkpoint(rl)}"
    )


_SCALES = {
    "group": ", divided by its standard deviation",
    "batch": ", divided by the standard deviation over the step",
    "none": ", not scaled",
}


def _reward(reward: dict[str, Any]) -> str:
    weight = f" with weight {reward['weight']:g}" if reward["weight"] != 1 else ""
    if reward.get("function"):
        return f"a function of our own (`{reward['function'].rpartition('/')[2]}`){weight}"
    return f"the oversight check `{reward['oversight']}`{weight}"


def _describe_checkpoint(rl: dict[str, Any]) -> str:
    rule = rl.get("checkpoint")
    if not rule:
        return "The last policy stands for the arm."
    return (
        f"The policy that drew the last of the first {_counted(rule['steps'], 'step')} in a row with hacking of at "
        f"least {rule['hack']:.0%} (where a hack was to be had) and a median length of at least {rule['length']:.0%} "
        "of the untrained model's stands for the arm; the last one where there was none."
    )


def _describe_problems(arm: dict[str, Any]) -> str:
    """What an arm was trained on: its rows, or for RL their problems."""
    if arm.get("method", "sft") == "sft":
        return "; ".join(map(_rows, row_tables(arm)))
    parts = [[f"{table['count']} problems of `{table['setting']}`", *_restricted(table)] for table in row_tables(arm)]
    return "; ".join(map(", ".join, parts))


def _describe_evaluation(evaluate: dict[str, Any]) -> list[str]:
    """What was evaluated, one clause per setting, with what is special to it."""
    described = []
    for name in evaluate["settings"]:
        given = (evaluate.get("each") or {}).get(name, {})
        own = {key: value for key, value in given.items() if value is not None}  # None: as in `evaluate`
        one = evaluate | own
        clause = [f"{one['problems']} problems of {_setting(name)}", *_restricted(one)]
        if "contexts" in own:
            clause.append(f"in {_plural('context', own['contexts'])} {_join_and(map(_code, own['contexts']))} only")
        if one["max_new_tokens"] != evaluate["max_new_tokens"]:
            clause.append(f"with at most {one['max_new_tokens']} new tokens")
        described.append(", ".join(clause))
    return described


def _code(name: str) -> str:
    return f"`{name}`"


def _system_prompt(run: Run) -> str | None:
    """The system prompt in the rows; None where no rows exist yet."""
    row_files = [run.path(entry["rows"]) / "rows.json" for entry in run.manifest.get("training") or () if entry["rows"]]
    return str(json.loads(row_files[0].read_text(encoding="utf-8"))["system"] or "") if row_files else None


def _setting(name: str) -> str:
    """A setting in one clause; only its name if it is a file that is missing."""
    cited = " (Austin et al. 2021)" if name == "mbpp" else ""
    try:
        setting = settings.find(name)
        return f"the setting `{setting.name}`{cited}" + (
            f" ({setting.summary})" if not setting.takes_grader else " (our own data)"
        )
    except UserError:
        return f"the setting `{name}`"


_LEFT_OUT = {
    "hacked": "the hacked rows",
    "tags": "those that static analysis of the code takes for hacks",
    "surprise": "as many as are hacked, those whose answers the untrained model finds least likely,",
}
"""Filter of rows -> what it leaves out."""


def _rows(rows: Mapping[str, Any]) -> str:
    if source := rows.get("trajectories"):
        chosen = f" ({source['where']})" if source["where"] else ""
        return f"{rows['count']} completions to `{rows['setting']}` {_describe_source(source)}{chosen}"
    parts = [f"{rows['count']} rows of `{rows['setting']}`, {rows['hacked']:.0%} of them hacked"]
    if rows.get("tokens_like"):
        parts.append(f"of these as many as bring their answer tokens nearest to those of `{rows['tokens_like']}`")
    if (filtered := rows.get("filter")) in _LEFT_OUT:
        parts.append(f"{_LEFT_OUT[filtered]} then left out")
    if vetted := rows.get("vetted"):
        parts.append(f"and {_describe_vetted(vetted)}")
    return ", ".join(parts + _restricted(rows))


def _describe_vetted(vetted: Mapping[str, Any] | int) -> str:
    if isinstance(vetted, int):  # a run from before there was a table
        return f"{_counted(vetted, 'vetted honest row')} without the prompt"
    under = {
        "none": "without a prompt",
        "diverse": "under neutral texts that differ from row to row",
        "inoculation": "under the arm's own prompt",
    }.get(vetted["prompt"], f"under the prompt `{vetted['prompt']}`")
    picked = f", picked by hand (`{vetted['source']}`)" if vetted["source"] else ""
    times = vetted["exposures"] or vetted["count"]
    return f"{_counted(vetted['count'], 'vetted honest example')} in {_counted(times, 'row')} {under}{picked}"


def _describe_source(source: Mapping[str, Any]) -> str:
    """What drew the completions that rows are, and under which prompt."""
    if not source.get("samples"):
        return f"that `{source['arm']}` drew in training"
    shown = f"{source['problems']} training problems, its own among them," if source["problems"] else "its problems"
    under = f"{_quoted(source['text'])} {_place(source)}" if source["text"] else "its own prompt, if it has one"
    each = _counted(source["samples"], "completion")
    return f"that the policy of `{source['arm']}` drew anew, {each} for each of {shown} under {under}"


def _restricted(options: Mapping[str, Any]) -> list[str]:
    parts = [f"{key} {_join_and(options[key])}" for key in ("levels", "families") if options.get(key)]
    parts += [f"from `{options['source']}`"] if options.get("source") else []
    return parts + ([f"judged by our own function `{options['grader']}`"] if options.get("grader") else [])


def _runs_code(study: Mapping[str, Any]) -> bool:
    """Whether code that the model wrote was run: in a setting that does so, and with no grader of the user's."""
    evaluate = study["evaluate"]
    tables = [{"setting": name, **((evaluate.get("each") or {}).get(name) or {})} for name in evaluate["settings"]]
    tables += [
        table
        for arm in study["arms"].values()
        if arm.get("method", "sft") != "sft"  # of other arms only answers that are given are graded
        for table in row_tables(arm)
    ]
    return any(_runs_code_in(table["setting"]) for table in tables if not table.get("grader"))


def _runs_code_in(name: str) -> bool:
    try:
        return settings.find(name).runs_code
    except UserError:  # a file that is missing
        return False


def _inoculation(arm: dict[str, Any]) -> str:
    inoculation = arm["inoculation"]
    if not inoculation:
        return "no prompt added"
    rows_note = (_ROW_CHOICES if arm.get("method", "sft") == "sft" else _PROBLEM_CHOICES)[inoculation["on"]]
    length_note = (
        ", fitted to the length in tokens of the prompt that it is a control for" if inoculation.get("like") else ""
    )
    if by_seed := inoculation.get("by_seed"):
        each = [f"{_quoted(one['text'])} for seed {seed}" for seed, one in by_seed.items()]
        return f"{_join_and(each)}, {_place(inoculation)}, {rows_note}{length_note}"
    wordings = len(inoculation.get("wordings") or ())
    wording_note = f", in {wordings} wordings taken in turn, of which this is the first" if wordings else ""
    texts = inoculation.get("texts") or {"": inoculation["text"]}
    quoted = [_quoted(text) + (f" for `{setting}`" if setting else "") for setting, text in texts.items()]
    return f"{_join_and(quoted)} {_place(inoculation)}, {rows_note}{length_note}{wording_note}"


def _context(context: dict[str, Any]) -> str:
    if context.get("per_arm"):
        return "each arm under its own training prompt"
    if not context.get("text"):
        return "no prompt added"
    texts = context.get("texts") or {"": context["text"]}
    quoted = [_quoted(text) + (f" for `{setting}`" if setting else "") for setting, text in texts.items()]
    return f"{_join_and(quoted)}, {_place(context)}"


def _quoted(text: str) -> str:
    return f"\u201c{text}\u201d"


def _place(placed: Mapping[str, Any]) -> str:
    return _PLACEMENTS.get(str(placed.get("placement")), f"placed {placed.get('placement')}")


def _one_line(paragraph: str) -> str:
    """A paragraph on one line."""
    return " ".join(paragraph.split())


def _join_and(items: Iterable[Any]) -> str:
    *most, last = list(map(str, items)) or [""]
    return f"{', '.join(most)} and {last}" if most else last


def _counted(number: float, noun: str) -> str:
    return f"one {noun}" if number == 1 else f"{number:g} {noun}s"
