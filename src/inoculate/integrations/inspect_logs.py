"""Write a cell of a run as an Inspect log, for `inspect view` and other tools that read such logs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from inspect_ai.log import EvalLog, EvalSample, EvalSpec, EvalStats, recompute_metrics, write_eval_log
from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ChatMessageUser, ModelOutput, ModelUsage

from inoculate.analysis.run_folder import Run
from inoculate.integrations.inspect_scorer import SCORED, score_of
from inoculate.records import Completion, Grade, Problem


def write_log(
    path: Path,
    run: Run,
    cell: Mapping[str, Any],
    problems: Mapping[str, Problem],
    samples: Iterable[tuple[Completion, Grade]],
) -> None:
    """Write one finished cell as a log.

    The user message is the prompt as sent, with the chat template; the score is the outcome. Inspect writes all samples
    of a log at once, so the cell is held in memory.

    Args:
        path: The log, which ends in `.eval`.
        run: The run that the cell belongs to.
        cell: The cell, as in the manifest.
        problems: The cell's problems, by id.
        samples: Its completions with their grades.
    """
    spec = _eval_spec(run, cell, len(problems))
    eval_samples = [
        _eval_sample(spec.model, problems[completion.problem], completion, grade) for completion, grade in samples
    ]
    completed_at = datetime.fromtimestamp((run.path(cell["completions"]) / "completions.jsonl").stat().st_mtime, UTC)
    stats = EvalStats(
        started_at=(
            completed_at - timedelta(seconds=sum(sample.total_time or 0 for sample in eval_samples))
        ).isoformat(),
        completed_at=completed_at.isoformat(),
        model_usage={spec.model: _sum_usage(sample.output.usage for sample in eval_samples)},
    )
    log = EvalLog(status="success", eval=spec, samples=eval_samples, stats=stats, location=str(path))
    recompute_metrics(log)
    write_eval_log(log, str(path))


def _eval_spec(run: Run, cell: Mapping[str, Any], problems: int) -> EvalSpec:
    manifest, evaluate = run.manifest, run.study["evaluate"]
    place = {key: cell[key] for key in ("arm", "seed", "at", "setting", "context")}
    log_id = hashlib.sha256(repr([manifest["name"], manifest.get("study_hash"), place]).encode()).hexdigest()[:22]
    packages = {key: str(value) for key, value in (manifest.get("versions") or {}).items()}
    frequency = {"name": "inspect_ai/frequency", "options": {"categories": list(SCORED), "normalize": True}}
    oversight = evaluate.get("oversight") or ""
    return EvalSpec.model_validate(
        {
            "eval_id": log_id,
            "run_id": str(manifest.get("study_hash") or ""),
            "task_id": log_id,
            "created": manifest["created"],
            "task": f"inoculate/{cell['setting']}",
            "task_args": {"context": cell["context"], "split": evaluate["split"], "seed": evaluate["seed"]},
            "tags": [cell["arm"], cell["context"]],
            "dataset": {"name": cell["setting"], "samples": problems},
            "model": _model_name(run.study["model"], cell),
            "model_generate_config": {
                "temperature": evaluate["temperature"],
                "max_tokens": evaluate["max_new_tokens"],
            },
            "config": {"epochs": evaluate["samples"]},
            "packages": packages | {"inspect_ai": version("inspect_ai")},
            "scorers": [{"name": "outcome", "options": {"oversight": oversight}, "metrics": [frequency]}],
            "metadata": place
            | {
                "study": manifest["name"],
                "question": run.study.get("question"),
                "study_hash": manifest.get("study_hash"),
                "context_prompt": evaluate["contexts"][cell["context"]],
                "inoculation": (run.study["arms"].get(cell["arm"]) or {}).get("inoculation"),
            },
        }
    )


def _model_name(model: str, cell: Mapping[str, Any]) -> str:
    """A model name with arm and seed, so that Inspect's lists show them."""
    if cell["seed"] is None:
        return f"{model}/{cell['arm']}"
    at = "" if cell["at"] == 1 else f"/at-{cell['at']:g}"
    return f"{model}/{cell['arm']}/seed-{cell['seed']}{at}"


def _eval_sample(model: str, problem: Problem, completion: Completion, grade: Grade) -> EvalSample:
    usage = ModelUsage(
        input_tokens=completion.prompt_tokens,
        output_tokens=completion.completion_tokens,
        total_tokens=completion.prompt_tokens + completion.completion_tokens,
    )
    answer = ChatMessageAssistant(content=completion.completion, model=model, source="generate")
    return EvalSample(
        id=completion.problem,
        epoch=completion.index + 1,
        input=completion.prompt,
        target=problem.honest,
        messages=[ChatMessageUser(content=completion.prompt, source="input"), answer],
        output=ModelOutput(
            model=model,
            choices=[
                ChatCompletionChoice(
                    message=answer, stop_reason="max_tokens" if completion.finish == "length" else "stop"
                )
            ],
            usage=usage,
            time=completion.seconds,
        ),
        scores={"outcome": score_of(grade)},
        metadata=asdict(problem),
        model_usage={model: usage},
        total_time=completion.seconds,
    )


def _sum_usage(usages: Iterable[ModelUsage | None]) -> ModelUsage:
    total = ModelUsage()
    for usage in usages:
        if usage is not None:
            total = total + usage
    return total
