"""Along RL: rates at every step, onset and take-off, collapse, and which policy stands for the arm. No torch."""

from inoculate.analysis.rl.arms import analyse_rl, collapse_cautions

__all__ = ["analyse_rl", "collapse_cautions"]
