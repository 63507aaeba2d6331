"""The forecast of each arm of a study, over its seeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from inoculate import settings
from inoculate.analysis.arms import row_folders, row_tables
from inoculate.analysis.preflight.forecast import Preflight, forecast, to_plain
from inoculate.analysis.preflight.words import headline
from inoculate.analysis.run_folder import Run
from inoculate.records import Problem, Trajectory, read_lines
from inoculate.study.schema import RL


@dataclass(frozen=True)
class ArmForecast:
    """The forecast of one arm, over its seeds: each draws problems of its own, and the untrained policy is one."""

    arm: str
    seeds: tuple[int, ...]
    sampled: tuple[int, ...]
    """The seeds whose sample is finished; the forecast rests on these."""
    preflight: Preflight | None
    """None where no seed is sampled."""

    def to_plain(self) -> dict[str, Any]:
        """As plain data: `arm`, `seeds`, `sampled`, `headline` (null: not sampled) and `preflight`."""
        return {
            "arm": self.arm,
            "seeds": list(self.seeds),
            "sampled": list(self.sampled),
            "headline": headline(self.preflight) if self.preflight else None,
            "preflight": to_plain(self.preflight) if self.preflight else None,
        }


def find_punishing(names: Iterable[str]) -> set[str]:
    """Those of some settings whose oversight check also fails honest answers."""
    found = [settings.find(name) for name in names]
    return {setting.name for setting in found if setting.punishes_honest}


def forecast_run(run: Run) -> list[dict[str, Any]]:
    """The forecasts of a run's arms that learn from rewards, as `ArmForecast.to_plain` gives them."""
    found: list[dict[str, Any]] = []
    for arm, spec in run.study["arms"].items():
        entries = [entry for entry in run.manifest.get("training") or () if entry["arm"] == arm]
        sampled = [entry for entry in entries if entry.get("preflight")]
        if spec.get("method", "sft") == "sft":
            continue
        seeds = tuple(entry["seed"] for entry in entries)
        if not sampled:
            found.append(ArmForecast(arm, seeds, (), None).to_plain())
            continue
        drawn = [
            one
            for entry in sampled
            for one in read_lines(run.path(entry["preflight"]) / "trajectories.jsonl", Trajectory)
        ]
        folders = [folder for entry in sampled for folder, _, _ in row_folders(entry) if folder]
        problems = [one for folder in folders for one in read_lines(run.path(folder) / "problems.jsonl", Problem)]
        punishing = find_punishing(table["setting"] for table in row_tables(spec))
        made = forecast(drawn, problems, RL(**spec["rl"]), punishing)
        found.append(ArmForecast(arm, seeds, tuple(entry["seed"] for entry in sampled), made).to_plain())
    return found
