"""The machines that took part in a study, for the page."""

from __future__ import annotations

from typing import Any

from inoculate.report.results import mapping, text


def machine_views(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """Which machine did which seed.

    Args:
        facts: The facts of a run.

    Returns:
        A row of the report's table for each machine; none where one machine did all, and nothing was imported.
    """
    machines = [mapping(machine) for machine in facts.get("machines") or ()]
    if len(machines) < 2 and not any(machine.get("imported") for machine in machines):
        return []
    versions = [mapping(machine.get("versions")) for machine in machines]
    return [
        {
            "name": text(machine.get("name")),
            "seeds": [*(["base"] if machine.get("base") else []), *map(text, machine.get("seeds") or ())],
            "devices": list(map(text, machine.get("devices") or ())),
            "cores": machine.get("cores"),
            # What is the same everywhere stands below, with the versions.
            "versions": [
                f"{name} {number}"
                for name, number in own.items()
                if any(other.get(name) != number for other in versions)
            ],
            "imported": bool(machine.get("imported")),
        }
        for machine, own in zip(machines, versions, strict=True)
    ]
