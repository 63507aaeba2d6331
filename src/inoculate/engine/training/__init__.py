"""Training methods: each trains PEFT adapters on rows."""
