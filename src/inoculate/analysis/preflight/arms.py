"""The forecast of each arm of a study, over its seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
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


def forecast_arm(
    arm: str,
    seeds: Iterable[int],
    samples: Mapping[int, tuple[Path, Sequence[Path]]],
    rl: RL,
    trained_on: Iterable[str],
) -> ArmForecast:
    """The forecast of an arm that is trained by RL.

    Args:
        arm: Its name.
        seeds: Its seeds.
        samples: Seed -> the folder of its finished sample, and those of the rows that its prompts are from.
        rl: Its hyperparameters.
        trained_on: The settings of its rows.
    """
    if not samples:
        return ArmForecast(arm, tuple(seeds), (), None)
    drawn = [one for folder, _ in samples.values() for one in read_lines(folder / "trajectories.jsonl", Trajectory)]
    rows = [folder for _, folders in samples.values() for folder in folders]
    problems = [one for folder in rows for one in read_lines(folder / "problems.jsonl", Problem)]
    return ArmForecast(arm, tuple(seeds), tuple(samples), forecast(drawn, problems, rl, find_punishing(trained_on)))


def forecast_run(run: Run) -> list[dict[str, Any]]:
    """The forecasts of a run's arms that are trained by RL, as `ArmForecast.to_plain` gives them."""
    found: list[dict[str, Any]] = []
    for arm, spec in run.study["arms"].items():
        if spec.get("method", "sft") != "rl":
            continue
        entries = [entry for entry in run.manifest.get("training") or () if entry["arm"] == arm]
        samples = {
            entry["seed"]: (
                run.path(entry["preflight"]),
                [run.path(folder) for folder, _, _ in row_folders(entry) if folder],
            )
            for entry in entries
            if entry.get("preflight")
        }
        seeds = [entry["seed"] for entry in entries]
        trained_on = [table["setting"] for table in row_tables(spec)]
        found.append(forecast_arm(arm, seeds, samples, RL(**spec["rl"]), trained_on).to_plain())
    return found
