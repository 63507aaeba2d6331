"""What comes from outside, whatever it is for: texts of TOML, and keys of servers."""
