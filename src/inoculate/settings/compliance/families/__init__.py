"""The families of the compliance suite: one module each, which defines `KINDS`."""
