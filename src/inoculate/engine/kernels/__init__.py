"""What transformers and PEFT do not have, or do slower: attention over shared prefixes, packed layers."""
