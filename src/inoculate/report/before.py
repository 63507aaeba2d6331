"""What the untrained policy showed before RL, as a section of the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from inoculate.report.page import environment


def render_before(forecasts: Sequence[dict[str, Any]]) -> Markup:
    """The section *Before training*: `static/before.html`, which a page may also include with the same `forecasts`.

    Args:
        forecasts: One for each RL arm, as `steps.forecasts.ArmForecast.to_plain` gives them.

    Returns:
        HTML with everything from the data escaped; empty without an RL arm.
    """
    return Markup(environment().get_template("before.html").render(forecasts=forecasts))
