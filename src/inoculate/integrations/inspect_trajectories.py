"""Write trajectories of RL as an Inspect log, for `inspect view` and other tools that read such logs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from inspect_ai.log import EvalLog, EvalSample, EvalSpec, EvalStats, recompute_metrics, write_eval_log
from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ChatMessageUser, ModelOutput, ModelUsage
from inspect_ai.scorer import Score

from inoculate.analysis.run_folder import Run
from inoculate.integrations.inspect_scorer import SCORED, score_of
from inoculate.records import Grade, Tag

_TEXTS = ("prompt", "completion")


def write_log(path: Path, run: Run, records: Sequence[Mapping[str, Any]]) -> None:
    """Write trajectories of a run as one log.

    A sample is one trajectory, named by arm, seed, step, problem and index. Its user message is the prompt as sent,
    with the chat template; its scores are the outcome and the reward; its metadata are everything else.

    Args:
        path: The log, which ends in `.eval`.
        run: The run.
        records: With the columns of `integrations.trajectories.TRAJECTORIES`.
    """
    spec = _eval_spec(run, records)
    log = EvalLog(
        status="success",
        eval=spec,
        samples=[_eval_sample(spec.model, record) for record in records],
        stats=EvalStats(started_at=run.manifest["created"], completed_at=run.manifest["created"]),
        location=str(path),
    )
    recompute_metrics(log)
    write_eval_log(log, str(path))


def _eval_spec(run: Run, records: Sequence[Mapping[str, Any]]) -> EvalSpec:
    manifest = run.manifest
    log_id = hashlib.sha256(repr([manifest["name"], manifest.get("study_hash"), "rl"]).encode()).hexdigest()[:22]
    frequency = {"name": "inspect_ai/frequency", "options": {"categories": list(SCORED), "normalize": True}}
    packages = {key: str(value) for key, value in (manifest.get("versions") or {}).items()}
    arms = sorted({record["arm"] for record in records})
    return EvalSpec.model_validate(
        {
            "eval_id": log_id,
            "run_id": str(manifest.get("study_hash") or ""),
            "task_id": log_id,
            "created": manifest["created"],
            "task": "inoculate/trajectories",
            "tags": arms,
            "dataset": {"name": "trajectories", "samples": len(records), "sample_ids": [_name(one) for one in records]},
            "model": run.study["model"],
            "config": {"epochs": 1},
            "packages": packages | {"inspect_ai": version("inspect_ai")},
            "scorers": [
                {"name": "outcome", "metrics": [frequency]},
                {"name": "reward", "metrics": [{"name": "inspect_ai/mean", "options": {}}]},
            ],
            "metadata": {
                "study": manifest["name"],
                "question": run.study.get("question"),
                "study_hash": manifest.get("study_hash"),
                "rl": {arm: run.study["arms"][arm].get("rl") for arm in arms},
                "inoculation": {arm: run.study["arms"][arm].get("inoculation") for arm in arms},
            },
        }
    )


def _name(record: Mapping[str, Any]) -> str:
    return f"{record['arm']}/seed-{record['seed']}/step-{record['step']}/{record['problem']}/{record['index']}"


def _eval_sample(model: str, record: Mapping[str, Any]) -> EvalSample:
    usage = ModelUsage(
        input_tokens=record["prompt_tokens"],
        output_tokens=record["completion_tokens"],
        total_tokens=record["prompt_tokens"] + record["completion_tokens"],
    )
    answer = ChatMessageAssistant(content=record["completion"], model=model, source="generate")
    stop_reason = "max_tokens" if record["finish"] == "length" else "stop"
    choice = ChatCompletionChoice(message=answer, stop_reason=stop_reason)
    return EvalSample(
        id=_name(record),
        epoch=1,
        input=record["prompt"],
        target="",
        messages=[ChatMessageUser(content=record["prompt"], source="input"), answer],
        output=ModelOutput(model=model, choices=[choice], usage=usage),
        scores={"outcome": score_of(_grade(record)), "reward": _reward(record)},
        metadata={key: value for key, value in record.items() if key not in _TEXTS},
        model_usage={model: usage},
    )


def _grade(record: Mapping[str, Any]) -> Grade:
    tags = tuple(Tag(**tag) for tag in record["tags"])
    return Grade(record["outcome"], record["oversight"], record["intended"], tags, detail=record["detail"])


def _reward(record: Mapping[str, Any]) -> Score:
    if record["reward"] is None:
        return Score.unscored(reason="scoring_failed", explanation=record["detail"])
    return Score(value=record["reward"])
