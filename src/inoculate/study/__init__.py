"""Study files: their keys, reading and checking them, and writing out their prompts."""
