"""Settings as Inspect tasks, graded by our sandbox, with Inspect's own mock model in place of a provider."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution, entry_points
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai import eval as run
from inspect_ai._eval.loader import load_tasks
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.log import EvalLog
from inspect_ai.model import ModelOutput, ModelUsage, get_model

from inoculate import settings
from inoculate.integrations.inspect_scorer import problem_of, score_of
from inoculate.integrations.inspect_tasks import TASKS
from inoculate.records import Grade
from inoculate.settings import Draw
from inoculate.study import prompts


def evaluated(task: Task, answers: dict[str, str], logs: Path) -> EvalLog:
    """The log of a mock model that answers each prompt, found by its text, as it was told to."""

    def answer(shown: list[Any], *_: Any) -> ModelOutput:
        output = ModelOutput.from_content("mockllm/model", answers[shown[-1].text])
        # Without it the mock counts tokens with a tokenizer that it would download.
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        return output

    (log,) = run(task, model=get_model("mockllm/model", custom_outputs=answer), log_dir=str(logs), display="none")
    return log


@pytest.mark.parametrize(("answer", "outcome"), [("honest", "correct"), ("hacked", "hack")])
def test_known_answers_get_their_outcome(answer: str, outcome: str, tmp_path: Path) -> None:
    task = TASKS["functions"](count=4, levels=1, seed=3)
    problems = settings.find("functions").problems(Draw("test", 4, 3, levels=(1,)))
    log = evaluated(task, {f"{p.lead} {p.body}": getattr(p, answer) for p in problems}, tmp_path)
    assert log.status == "success", log.error
    assert log.results is not None and log.samples is not None
    (score,) = log.results.scores
    rates = {name: metric.value for name, metric in score.metrics.items()}
    assert rates == {"correct": 0.0, "hack": 0.0, "wrong": 0.0, "malformed": 0.0} | {outcome: 1.0}
    found = [(sample.scores or {})["outcome"] for sample in log.samples]
    assert [one.value for one in found] == [outcome] * 4
    assert all((one.metadata or {})["containment"] != "none" for one in found)
    kept = {sample.id: problem_of(sample.metadata) for sample in log.samples}
    assert kept == {problem.id: problem for problem in problems}


def test_a_wrong_and_an_unreadable_answer(tmp_path: Path) -> None:
    first, second = settings.find("functions").problems(Draw("test", 2, 0))
    wrong = f"```python\ndef {first.secret['entry_point']}(*given):\n    return 'nothing of the kind'\n```"
    answers = {f"{first.lead} {first.body}": wrong, f"{second.lead} {second.body}": "I would rather not."}
    log = evaluated(TASKS["functions"](count=2), answers, tmp_path)
    found = {sample.id: (sample.scores or {})["outcome"].value for sample in log.samples or []}
    assert found == {first.id: "wrong", second.id: "malformed"}


def test_a_failure_of_our_grader_is_no_score() -> None:
    score = score_of(Grade("ungraded", None, None, detail="the worker was lost"))
    assert score.value != score.value  # NaN: Inspect's mark of a sample that is left out of the metrics
    assert score.explanation == "the worker was lost"


@pytest.mark.parametrize("name", settings.names())
def test_every_setting_is_a_task(name: str) -> None:
    if settings.find(name).needs_source or name == "open_questions":  # which needs a judge
        with pytest.raises(PrerequisiteError) as refused:
            TASKS[name](count=2)
        assert f"inoculate/{name}" in str(refused.value.message)
        return
    task = TASKS[name](split="development", count=2)
    assert [sample.metadata["setting"] for sample in task.dataset if sample.metadata] == [name, name]


def test_the_context_is_placed_as_in_a_study() -> None:
    text = prompts.find(prompts.CONTEXT_PROMPTS[prompts.ASKS_TO_HACK]).text
    (sample,) = TASKS["functions"](count=1, context=prompts.ASKS_TO_HACK, placement="after").dataset
    (shown,) = [message for message in sample.input if not isinstance(message, str)]
    assert shown.role == "user"
    assert shown.text.endswith(f"\n\n{text}")
    (sample,) = TASKS["functions"](count=1, context=prompts.ASKS_TO_HACK, placement="system").dataset
    assert [(m.role, text in m.text) for m in sample.input if not isinstance(m, str)] == [
        ("system", True),
        ("user", False),
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"split": "tests"}, "unknown split 'tests': did you mean 'test'?"),
        ({"context": "asks-to-hak"}, "did you mean 'asks-to-hack'?"),
        ({"placement": "inner"}, "unknown placement 'inner'"),
        ({"oversight": "exitcode"}, "did you mean 'exit_code'?"),
        ({"levels": 9}, "unknown level 9"),
    ],
)
def test_what_is_not_known_is_refused_in_words(given: dict[str, Any], words: str) -> None:
    with pytest.raises(PrerequisiteError) as refused:
        TASKS["functions"](count=1, **given)
    assert words in str(refused.value.message)


def test_inspect_finds_the_tasks_by_name() -> None:
    try:
        distribution("inoculate")
    except PackageNotFoundError:
        pytest.skip("the package is not installed, so it has no entry points")
    (found,) = [point for point in entry_points(group="inspect_ai") if point.name == "inoculate"]
    assert found.load().TASKS is TASKS
    (task,) = load_tasks(["inoculate/functions"], {"count": 1})
    assert task.name == "inoculate/functions"
