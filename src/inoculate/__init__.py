"""inoculate: does an inoculation prompt work, on this model and data, what does it cost, and how sure are we?

From Python: `run`, `load`, `grade`, and the parts of a `Study` (docs/python.md). They are imported when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inoculate.api.grades import Grades, grade, problems
    from inoculate.api.runs import Run, import_graded, load, run
    from inoculate.errors import UserError
    from inoculate.grading import CodeTask
    from inoculate.study.from_python import Study
    from inoculate.study.tables import (
        RL,
        SFT,
        Arm,
        CheckpointRule,
        Context,
        Contrast,
        Elicitation,
        Evaluate,
        EvaluatedSetting,
        Factorial,
        Inoculation,
        Onset,
        Reward,
        Rows,
        Screen,
        Sensitivity,
        TrajectorySource,
    )

__version__ = "0.1.0"
__all__ = [
    "RL",
    "SFT",
    "Arm",
    "CheckpointRule",
    "CodeTask",
    "Context",
    "Contrast",
    "Elicitation",
    "Evaluate",
    "EvaluatedSetting",
    "Factorial",
    "Grades",
    "Inoculation",
    "Onset",
    "Reward",
    "Rows",
    "Run",
    "Screen",
    "Sensitivity",
    "Study",
    "TrajectorySource",
    "UserError",
    "grade",
    "import_graded",
    "load",
    "problems",
    "run",
]
_EXPORTS = {
    "api.grades": ("Grades", "grade", "problems"),
    "api.runs": ("Run", "import_graded", "load", "run"),
    "errors": ("UserError",),
    "grading": ("CodeTask",),
    "study.from_python": ("Study",),
}
"""Module -> names that are imported from it; the rest of `__all__` are from `study.tables`."""
_MODULES = {name: module for module, names in _EXPORTS.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import what is used."""
    if name not in __all__:
        raise AttributeError(f"module 'inoculate' has no attribute '{name}'")
    return getattr(import_module(f"inoculate.{_MODULES.get(name, 'study.tables')}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
