"""What texts are to be written about: one module for each family, which defines `TOPICS`."""
