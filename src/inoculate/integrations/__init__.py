"""Other tools: Inspect tasks and logs, rows and samples as data sets, a methods section, experiment trackers."""
