"""A kind of step is one file: how it is planned and how it is carried out."""

from __future__ import annotations

import importlib
import pkgutil

from inoculate import steps
from inoculate.steps import plan as planning
from inoculate.steps.run import RUN_STEP
from inoculate.study import ready_made
from inoculate.study.parse import load
from inoculate.study.schema import STEP_KINDS

MODULES = [importlib.import_module(f"{steps.__name__}.{found.name}") for found in pkgutil.iter_modules(steps.__path__)]
KINDS = [module for module in MODULES if hasattr(module, "KIND")]


def test_every_kind_is_planned_and_carried_out_in_its_own_file() -> None:
    assert len(KINDS) >= 7
    assert {module.KIND: module.run for module in KINDS} == RUN_STEP
    assert set(STEP_KINDS) == set(RUN_STEP)
    assert all(module.plan_step.__module__ == module.__name__ for module in KINDS)


def test_every_step_of_a_plan_has_a_kind_and_its_version() -> None:
    versions = {module.KIND: module.VERSION for module in KINDS}
    for step in planning.make_plan(load(ready_made.find("demo")), weights="w").steps():
        assert step.version == versions[step.kind]
