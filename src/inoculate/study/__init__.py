"""What a study says, and what follows from it before anything is planned."""
