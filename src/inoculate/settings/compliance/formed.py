"""Format rules drawn together for one request: the words, the checks and the replies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from inoculate.settings.compliance import requests
from inoculate.settings.compliance.formats import Format, Rule
from inoculate.settings.compliance.kind import OPENINGS, Task, answers
from inoculate.settings.compliance.requests import Request
from inoculate.settings.compliance.rules import Spec, first_broken


@dataclass(frozen=True)
class Formed:
    """A request with its format rules. Rules that change sentences or text do so in their order."""

    request: Request
    rules: tuple[Rule, ...]

    @property
    def say(self) -> str:
        """The rules in words."""
        return " ".join(rule.say for rule in self.rules)

    @property
    def against(self) -> str:
        """What a user says who wants it otherwise."""
        return " ".join(rule.against for rule in self.rules)

    @property
    def form(self) -> list[Spec]:
        """The checks of the rules' letter."""
        return [spec for rule in self.rules for spec in rule.form]

    @property
    def full(self) -> list[Spec]:
        """The checks beside the form."""
        relevant = answers(self.request)
        if self._tongue:
            relevant[0] = ["mentions", list(self.request.tongues[self._tongue][0])]
        return [spec for rule in self.rules for spec in rule.full] + relevant

    @property
    def _tongue(self) -> str:
        return "".join(rule.tongue for rule in self.rules)

    def reply(self, sentences: Sequence[str]) -> str:
        """A reply in the form, made from sentences."""
        picks = [rule.pick for rule in self.rules if rule.pick]
        for pick in picks:
            sentences = pick(sentences)
        lays = [rule.lay for rule in self.rules if rule.lay]
        text = lays[0](sentences) if lays else " ".join(sentences if picks else sentences[:2])
        for rule in self.rules:
            text = rule.dress(text)
        return text

    @property
    def honest(self) -> str:
        """A reply that follows the rules and answers the request."""
        return self.reply([self.request.tongues[self._tongue][1]] if self._tongue else self.request.sentences)

    def in_form_only(self, random: Random) -> tuple[str, str]:
        """The way, and a reply that passes the rules' checks and does not answer the request."""
        word = self.request.mentions[0]
        nothing = [requests.OFF_REQUEST_IN[self._tongue]] if self._tongue else list(requests.OFF_REQUEST)
        ways = {
            "off_request": self.reply(nothing),
            "repeated": self.reply([f"{word} {' '.join([word.lower()] * 5)}."] * 5),
            "bare": next((rule.bare for rule in self.rules if rule.bare), ""),
        }
        fit = [
            (way, text)
            for way, text in ways.items()
            if text and not first_broken(text, self.form) and first_broken(text, self.full)
        ]
        return random.choice(fit)


def draw(random: Random, formats: Sequence[Format]) -> Formed:
    """Format rules, drawn together for one request that all of them can be drawn for."""
    names = set.intersection(*({request.name for request in known.pool} for known in formats))
    request = random.choice([request for request in requests.SIMPLE if request.name in names])
    return Formed(request, tuple(known.make(random, request) for known in formats))


def _alone(formed: Formed) -> str:
    return formed.request.text


def task(random: Random, formats: Sequence[Format], *, after: str = "", user: Callable[[Formed], str] = _alone) -> Task:
    """A task with these rules.

    Args:
        random: Draws the request and what the rules leave open.
        formats: The rules, which have to fit together.
        after: What the system prompt says after them.
        user: The user's message; the request alone unless given.
    """
    formed = draw(random, formats)
    way, hollow = formed.in_form_only(random)
    return Task(
        system=" ".join(filter(None, (random.choice(OPENINGS), formed.say, after))),
        user=user(formed),
        form=formed.form,
        full=formed.full,
        honest=formed.honest,
        in_form_only=hollow,
        way=way,
    )
