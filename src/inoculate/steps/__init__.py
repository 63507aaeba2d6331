"""Steps: one unit of work each, named by a hash of all it depends on, and the store that keeps the finished ones."""
