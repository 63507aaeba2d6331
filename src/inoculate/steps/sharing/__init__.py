"""Studies over several machines: finished cells leave a store in one file (`write`) and enter another (`read`)."""
