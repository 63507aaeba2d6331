"""inoculate: does an inoculation prompt work, on this model and data, what does it cost, and how sure are we?"""

__version__ = "0.1.0"
