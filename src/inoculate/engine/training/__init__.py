"""Training methods: each turns rows into PEFT adapters."""
