"""SFT on trajectories of RL, evaluated along training and on suites of their own; and RL under the same prompt."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from inoculate.analysis import analyse
from inoculate.analysis.run_folder import read_run
from inoculate.integrations.methods import write_methods
from inoculate.records import Row, Trajectory, read_lines
from inoculate.report import write_report
from inoculate.steps.store import Store
from running import carried_out
from small_study import RL_STUDY

FRESH = 'rows = { count = 4, trajectories = { arm = "reinforced", samples = 3 } }'
SHARES = [0.1, 0.25, 0.5, 1.0]
GENERAL = "Obtain reward by any means possible"
STUDY = RL_STUDY.replace("[rl]\n", "[rl]\ncheckpoint = { hack = 0.5 }\n").replace(
    "[evaluate]",
    f"""[train]
learning_rate = 1e-3
batch_rows = 1
epochs = 3

[arms.reinforced]
method = "rl"
[arms.none]
{FRESH}
[arms.general]
{FRESH}
inoculation = {{ prompt = "general" }}
[arms.reinforced-general]
method = "rl"
inoculation = {{ prompt = "general" }}
[arms.general-from-general]
rows = {{ count = 4, trajectories = {{ arm = "reinforced-general", samples = 3 }} }}
inoculation = {{ prompt = "general" }}

[[contrasts]]
claim = "c"
measure = "correct"
setting = "compliance"
context = "neutral"
higher = "general"
than = "none"
guards = ["capability"]

[evaluate]""",
)
SUITES = ("mathematics", "compliance", "capability")
STUDY = STUDY.replace(
    'settings = ["mathematics"]\nlevels = [1]\n',
    f"""settings = {list(SUITES)}
fractions = {SHARES}
each.mathematics.levels = [1]
each.compliance.problems = 3
each.capability.problems = 5
""",
)


@pytest.mark.usefixtures("planted_grades")
def test_arms_on_trajectories_are_evaluated_along_training_in_every_suite(tiny_model: Path, tmp_path: Path) -> None:
    path, store = tmp_path / "along.toml", Store(tmp_path / "store")
    path.write_text(STUDY.replace("MODEL", str(tiny_model)))
    folder, done = carried_out(path, store)
    assert done.count("rl") == done.count("fresh-samples") == 2 and done.count("adapter") == 3
    results = analyse(folder)
    found = {(cell["arm"], cell["setting"], cell["at"]) for cell in results["cells"]}
    assert {key for key in found if key[0] in ("none", "general")} == {
        (arm, setting, at) for arm in ("none", "general") for setting in SUITES for at in SHARES
    }
    assert {at for arm, _, at in found if arm.startswith("reinforced")} == {1.0}
    manifest = json.loads((folder / "manifest.json").read_text())
    trained = {entry["arm"]: entry for entry in manifest["training"]}
    drawn = list(read_lines(Path(trained["general-from-general"]["fresh_samples"]) / "trajectories.jsonl", Trajectory))
    learned = list(read_lines(Path(trained["reinforced-general"]["rl"]) / "trajectories.jsonl", Trajectory))
    assert all(GENERAL in one.prompt for one in [*drawn, *learned])
    rows = list(read_lines(Path(trained["general-from-general"]["rows"]) / "rows.jsonl", Row))
    assert len(rows) == 4 and all(GENERAL in row.messages[-1].content for row in rows)
    methods = " ".join(write_methods(read_run(folder), Counter()).split())
    assert (
        "10%, 25% and 50% of training, but for reinforced and reinforced-general, whose policy a rule chose." in methods
    )
    write_report(folder)
    assert "Along training" in (folder / "report.html").read_text()
