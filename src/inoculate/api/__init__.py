"""The Python interface: run or load a study, grade completions; tables as DataFrames and a picture in a notebook."""
