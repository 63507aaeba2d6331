"""The steps of a study. Each is named by a hash of everything it depends on, and kept in a store.

Each kind of step has a module that plans it (`plan_step`) and carries it out (`run`): problems, rows, row_grades,
train, completions, grades, scores. `plan.make_plan` puts the steps of a study in order, `run.carry_out` carries them
out.
"""
