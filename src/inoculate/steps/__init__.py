"""From a study to its results: steps in a store, each named by all that it depends on.

Each kind of step has a file with how it is planned (`plan_step`) and how it is carried out (`run`): problems, rows,
row_grades, train, completions, grades, scores. `plan` puts them in order, `run` carries them out.
"""
