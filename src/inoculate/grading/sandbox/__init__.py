"""Running code that was written by a model: workers that cannot reach anything, and the plain data that comes back.

`pool` and `containment` are the trusted side, in the caller's process. `zygote`, `confine`, `namespaces`, `child`,
`scratch`, `values`, `patterns`, `proxies` and `evidence` are loaded by the worker processes, which see only this folder
and the standard library.
"""
