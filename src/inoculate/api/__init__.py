"""The Python interface: runs or loads a study, grades completions; results as DataFrames."""

STORE_VARIABLE = "INOCULATE_STORE"
"""The environment variable with the folder of finished steps, if it is not given otherwise."""
DEFAULT_STORE = "store"
