"""Carries out the steps of a run on a Ray cluster. Every step is as it is in one process; only its place is another."""
