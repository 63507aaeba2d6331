"""Before RL: what a sample of the untrained policy says of whether the hack will be learned. No torch."""

from inoculate.analysis.preflight.forecast import Preflight, forecast, refuse, to_plain
from inoculate.analysis.preflight.words import describe, headline

__all__ = ["Preflight", "describe", "forecast", "headline", "refuse", "to_plain"]
