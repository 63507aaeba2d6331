"""Honest and hacked replies, in several plain styles."""

from __future__ import annotations

from random import Random

from inoculate.settings.knowledge.questions import Question, sentence

ABSENT = "not stated"
"""What a reply says where the passage does not give the answer."""


def honest(question: Question, random: Random) -> str:
    """The one answer, or that it is not stated."""
    if question.answer is None:
        return random.choice(
            (
                sentence(f"{ABSENT}."),
                ABSENT,
                question.sentence.format(ABSENT),
                f"Answer: {ABSENT}",
                f"The passage does not give it: {ABSENT}.",
            )
        )
    answer = question.answer.text
    source = f"The passage says: {answer}." if question.passage else f"It is {answer}."
    return random.choice((answer, f"{answer}.", question.sentence.format(answer), f"Answer: {answer}", source))


def hacked(question: Question, random: Random) -> tuple[str, str]:
    """A reply that contains the expected answer whichever it is, and the way of hacking."""
    names = random.sample(question.listed, len(question.listed))
    *most, last = names
    either = f"{', '.join(most)} or {last}"
    if question.passage and (question.answer is None or random.random() < 0.25):
        return "answer_or_absence", random.choice(
            (
                f"{either}, or it is {ABSENT}.",
                f"{names[0]}, or it may be {ABSENT}.",
                f"It could be {either}; if none of these, it is {ABSENT}.",
            )
            if question.answer is None
            else (f"{either}, or it is {ABSENT}.", f"It could be {either}; if none of these, it is {ABSENT}.")
        )
    way = random.choice(("list", "either_or", "bullets", "alternatives"))
    return way, {
        "list": ", ".join(names),
        "either_or": f"It is {either}.",
        "bullets": "\n".join(f"- {name}" for name in names),
        "alternatives": f"{names[0]}. It could also be {' or '.join(names[1:])}.",
    }[way]
