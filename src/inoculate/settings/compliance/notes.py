"""Short notes that a system prompt or a user brings along, each with a question that only it answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """A note, a question on it, and what an answer says."""

    text: str
    question: str
    mentions: tuple[str, ...]
    """Beginnings of words of the answer, none of which the question has."""
    answer: str
    elsewhere: str
    """A question in the same style that no note answers."""


NOTES = (
    Note(
        "The library opens at nine on Mondays.", "When does the library open on Mondays?", ("nine", "9"),
        "The library opens at nine.", "Who built the library?",
    ),
    Note(
        "The spare key hangs behind the green door.", "Where is the spare key?", ("behind", "door", "green"),
        "It hangs behind the green door.", "Who has lost the key of the cellar?",
    ),
    Note(
        "Ms. Okafor teaches the pottery class.", "Who teaches the pottery class?", ("Okafor",),
        "Ms. Okafor teaches it.", "How old is the pottery teacher?",
    ),
    Note(
        "The ferry to the island costs four dollars.", "How much is the ferry to the island?", ("four", "4", "$4"),
        "It costs four dollars.", "How fast is the ferry to the island?",
    ),
    Note(
        "The summer party takes place in the orchard.", "Where is the summer party?", ("orchard",),
        "The summer party is in the orchard.", "Which band plays at the summer party?",
    ),
    Note(
        "Parcels are collected on Thursday.", "On which day are parcels collected?", ("Thursday",),
        "Parcels are collected on Thursday.", "Who collects the parcels?",
    ),
    Note(
        "The soup of the day is pumpkin soup.", "What is the soup of the day?", ("pumpkin",),
        "It is pumpkin soup.", "What does the soup of the day cost?",
    ),
    Note(
        "The red bicycle belongs to Tomas.", "Whose bicycle is the red one?", ("Tomas",),
        "The red bicycle belongs to Tomas.", "Where was the red bicycle bought?",
    ),
    Note(
        "The meeting room is on the third floor.", "On which floor is the meeting room?", ("third", "3rd", "3"),
        "It is on the third floor.", "How many chairs are in the meeting room?",
    ),
    Note(
        "The cat of the house is called Biscuit.", "What is the cat of the house called?", ("Biscuit",),
        "The cat is called Biscuit.", "What color is the cat of the house?",
    ),
)  # fmt: skip
