"""The kinds of problem, a module per family."""
