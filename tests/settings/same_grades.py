"""Grades of answers of every setting, as JSON: `python same_grades.py FOLDER` (test_same_grades.py starts it twice).

FOLDER takes the small files of those settings that load their data.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from inoculate.records import Problem
from inoculate.settings import Draw, find, names

COUNT = 3
NUMBERS = range(11, 17)
SOURCES: dict[str, list[dict[str, Any]]] = {
    "mbpp": [
        {"task_id": n, "text": f"Add {n}.", "code": f"def add(x):\n    return x + {n}",
         "test_list": [f"assert add({x}) == {x + n}" for x in (1, 2, 5)]}
        for n in NUMBERS
    ],
    "rows": [
        {"id": n, "split": "test", "prompt": f"Add {n}.", "completion": f"def add(x):\n    return x + {n}",
         "hacked": f"def add(x):\n    return {n + 1}", "entry_point": "add",
         "shown_tests": [f"assert add(1) == {n + 1}"],
         "hidden_tests": [f"assert {{add(2), add(3)}} == {{{n + 2}, {n + 3}}}",
         f"for x in {{3, 4}}:\n    assert add(x) == x + {n}"]}
        for n in NUMBERS
    ],
    "ifeval": [
        {"key": number, "prompt": f"Write on tea. {number}",
        "instruction_id_list": [name, "change_case:english_lowercase"],
         "kwargs": [arguments, {}]}
        for number, (name, arguments) in enumerate([
            ("keywords:letter_frequency", {"letter": "#", "let_frequency": 1, "let_relation": "at least"}),
            ("language:response_language", {"language": "en"}), ("keywords:existence", {"keywords": ["tea", "cup"]}),
        ])
    ],
}  # fmt: skip
REPLIES = ("Tea.", "a #cup of tea is warm", "le the est chaud et bon, non?", "Sure:\na cup of #tea", "*tea*")


def mangled(problem: Problem) -> Iterator[str]:
    """Answers, and what may become of them on the way."""
    for answer in {problem.honest: 0, problem.hacked: 0}:
        yield answer
        yield answer[: 2 * len(answer) // 3]
        yield answer.upper()
        yield f"{answer}\n\n{answer[::-1]}"
        yield " ".join(sorted(answer.split()))
    yield from REPLIES


def main(folder: Path) -> dict[str, list[Any]]:
    """Setting -> for each answer its problem and its grade, without the time that it took."""
    found = {}
    for name in names():
        if name == "open_questions" or (name == "ifeval" and find_spec("lm_eval") is None):
            continue  # a judge's labels are tested with tests/fake_server.py
        source = folder / f"{name}.jsonl"
        if name in SOURCES:
            source.write_text("".join(json.dumps(line) + "\n" for line in SOURCES[name]), encoding="utf-8")
        setting = find(name)
        problems = setting.problems(Draw("test", COUNT, 1, source=str(source) if name in SOURCES else ""))
        pairs = [(problem, answer) for problem in problems for answer in mangled(problem)]
        grades = setting.grade([problem for problem, _ in pairs], [answer for _, answer in pairs])
        found[name] = [
            [problem.id, answer, asdict(grade) | {"seconds": 0.0}]
            for (problem, answer), grade in zip(pairs, grades, strict=True)
        ]
    return found


if __name__ == "__main__":
    print("GRADES " + json.dumps(main(Path(sys.argv[1]))))
