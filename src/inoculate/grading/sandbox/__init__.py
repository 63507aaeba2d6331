"""Running model-written code: confined worker processes, and the plain data that they return.

`pool` and `containment` run in the grader's own process, which is trusted. All other modules are loaded by the worker
processes, which can read only this folder and the standard library.
"""
