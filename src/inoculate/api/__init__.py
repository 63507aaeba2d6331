"""The Python interface: run or load a study, grade completions; tables as DataFrames and a picture in a notebook."""

STORE_VARIABLE = "INOCULATE_STORE"
"""Names the folder of finished steps where nothing else does."""
DEFAULT_STORE = "store"
