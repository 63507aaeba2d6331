"""A step in several processes: they are started with what they need, and what one of them says arrives."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import forked
from inoculate.engine.training.processes import Processes
from inoculate.errors import UserError
from inoculate.steps import processes
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.store import Step, Store
from inoculate.study.parse import load
from inoculate.study.schema import Needs

STEP = Step("adapter", {}, label="training of plain, seed 0")


def gather(
    step: Step, folder: Path, resources: Resources, progress: Progress, together: Processes, halved: bool
) -> dict[str, Any]:
    """Tells the processes' ids; then the second one finds a mistake, and the first one waits for it."""
    found = together.gather([os.getpid(), os.environ["CUDA_VISIBLE_DEVICES"], torch.get_num_threads()])
    progress(together.number, len(found), json.dumps(found))
    together.gather(None)
    if together.number == 1:
        raise UserError(f"halved = {halved}: lower train.learning_rate")
    together.gather(None)
    return {}


def test_a_mistake_in_one_process_ends_all_with_its_sentence(tiny_model: Path, tmp_path: Path) -> None:
    resources = Resources(Store(tmp_path), str(tiny_model), print, needs={"adapter": Needs(processes=2)})
    told = list[tuple[int, int, str]]()
    with pytest.raises(UserError, match=r"^halved = True: lower train\.learning_rate$"):
        processes.carry_out(gather, STEP, tmp_path, resources, lambda *given: told.append(given), True)
    ((number, count, found),) = told
    assert (number, count) == (0, 2)
    (first, gpus, threads), (second, _, _) = json.loads(found)
    assert first != second and gpus == "" and threads == max(1, torch.get_num_threads() // 2)
    assert not any(Path("/proc", str(process)).exists() for process in (first, second))
    assert list((tmp_path / "logs").iterdir()) == []


def read_weights(
    step: Step, folder: Path, resources: Resources, progress: Progress, together: Processes, halved: bool
) -> dict[str, Any]:
    """Reads divided weights. The second one finds a file that was cut off, and the first one waits for its part."""
    from inoculate.engine.device import Device
    from inoculate.engine.training import sharding

    weights = resources.weights if together.is_first else folder / "cut-off"
    base = sharding.load(weights, Device(torch.device("cpu"), torch.float32), together)
    base(input_ids=torch.zeros(1, 4, dtype=torch.long))
    return {}


def test_one_that_cannot_read_its_part_of_the_weights_ends_all(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Path(shutil.copytree(tiny_model, tmp_path / "cut-off")) / "model.safetensors"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    started = list[forked.Forked]()

    def start(*given: Any) -> forked.Forked:
        started.append(forked.start(*given))
        return started[-1]

    monkeypatch.setattr(processes, "start_process", start)
    needs = {"adapter": Needs(processes=2, shard=True)}
    resources = Resources(Store(tmp_path), str(tiny_model), print, needs=needs)
    with pytest.raises(UserError, match=r"^resources\.adapter: shard = true: .*cut-off: .* cannot load this model: "):
        processes.carry_out(read_weights, STEP, tmp_path, resources, lambda *given: None, False)
    assert None not in [one.code for one in started] and list((tmp_path / "logs").iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[resources.completions]\ngpus = 2",
            r"resources.completions: gpus = 2: such a step is one process.*: adapter, rl",
        ),
        ("[resources.adapter]\ngpus = 1.5", r"gpus = 1.5: a step has a part of one GPU, or whole ones"),
        ("[resources.adapter]\ngpus = 2\nprocesses = 3", r"processes = 3 and gpus = 2: each process has one GPU"),
        ("[resources.adapter]\nprocesses = 3\ncpus = 2", r"cpus = 2 for 3 processes: give at least one for each"),
        (
            "[resources.adapter]\nshard = true",
            r"shard = true divides the weights among several",
        ),
        (
            "[resources.rl]\ngpus = 2\nshard = true",
            r"resources.rl: shard = true: a policy that draws",
        ),
        (
            "[resources.grades]\nprocesses = 2\nshard = true",
            r"resources.grades: processes = 2: such a step is one process",
        ),
    ],
)
def test_what_cannot_be_divided_is_refused(study_file: Path, text: str, message: str) -> None:
    study_file.write_text(f"{study_file.read_text()}\n{text}\n")
    with pytest.raises(UserError, match=message):
        load(study_file)


def test_a_step_asks_for_a_core_for_each_process() -> None:
    assert [Needs(gpus=4).count, Needs(gpus=4).cpus, Needs(processes=2).cpus, Needs(gpus=0.5).count] == [4, 4, 2, 1]


def test_more_gpus_than_there_are_are_refused_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    processes.refuse_too_few_gpus({"rl": Needs(gpus=1), "adapter": Needs(processes=2)})
    with pytest.raises(UserError, match=r"^resources\.rl: gpus = 2, and this machine has 1: give fewer"):
        processes.refuse_too_few_gpus({"rl": Needs(gpus=2)})
