"""Format rules drawn together for one request: the instructions, the checks and the replies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from inoculate.settings.compliance import requests
from inoculate.settings.compliance.formats import Format, Rule
from inoculate.settings.compliance.kind import OPENINGS, Task, answer_checks
from inoculate.settings.compliance.requests import Request
from inoculate.settings.compliance.rules import Spec, first_broken


@dataclass(frozen=True)
class FormattedRequest:
    """A request with its format rules. Rules that change sentences or text are applied in order."""

    request: Request
    rules: tuple[Rule, ...]

    @property
    def instructions(self) -> str:
        """The rules, for the system prompt."""
        return " ".join(rule.instruction for rule in self.rules)

    @property
    def objection(self) -> str:
        """The message of a user who wants another form."""
        return " ".join(rule.objection for rule in self.rules)

    @property
    def form(self) -> list[Spec]:
        """The checks of the form: the letter of the rules."""
        return [spec for rule in self.rules for spec in rule.form]

    @property
    def full(self) -> list[Spec]:
        """The checks besides those of the form."""
        relevant = answer_checks(self.request)
        if self._language:
            relevant[0] = ["mentions", list(self.request.translations[self._language][0])]
        return [spec for rule in self.rules for spec in rule.full] + relevant

    @property
    def _language(self) -> str:
        return "".join(rule.language for rule in self.rules)

    def reply(self, sentences: Sequence[str]) -> str:
        """A reply in the right form, made from sentences."""
        choosers = [rule.choose for rule in self.rules if rule.choose]
        for choose in choosers:
            sentences = choose(sentences)
        arrangers = [rule.arrange for rule in self.rules if rule.arrange]
        text = arrangers[0](sentences) if arrangers else " ".join(sentences if choosers else sentences[:2])
        for rule in self.rules:
            text = rule.decorate(text)
        return text

    @property
    def honest(self) -> str:
        """A reply that follows the rules and answers the request."""
        sentences = [self.request.translations[self._language][1]] if self._language else self.request.sentences
        return self.reply(sentences)

    def in_form_only(self, random: Random) -> tuple[str, str]:
        """The way of hacking, and a reply in the right form that does not answer the request."""
        word = self.request.mentions[0]
        off_request = [requests.OFF_REQUEST_IN[self._language]] if self._language else list(requests.OFF_REQUEST)
        ways = {
            "off_request": self.reply(off_request),
            "repeated": self.reply([f"{word} {' '.join([word.lower()] * 5)}."] * 5),
            "bare": next((rule.empty_form for rule in self.rules if rule.empty_form), ""),
        }
        hollow = [
            (way, text)
            for way, text in ways.items()
            if text and not first_broken(text, self.form) and first_broken(text, self.full)
        ]
        return random.choice(hollow)


def draw_formatted(random: Random, formats: Sequence[Format]) -> FormattedRequest:
    """Format rules for one request that all of them can be drawn for."""
    names = set.intersection(*({request.name for request in rule_format.pool} for rule_format in formats))
    request = random.choice([request for request in requests.SIMPLE if request.name in names])
    return FormattedRequest(request, tuple(rule_format.make(random, request) for rule_format in formats))


def _request_alone(formatted: FormattedRequest) -> str:
    return formatted.request.text


def make_task(
    random: Random,
    formats: Sequence[Format],
    *,
    after: str = "",
    user: Callable[[FormattedRequest], str] = _request_alone,
) -> Task:
    """A task with these rules.

    Args:
        random: Draws the request and the details of the rules.
        formats: The rules, which have to be compatible.
        after: The end of the system prompt, after the rules.
        user: Makes the user's message; by default the request alone.
    """
    formatted = draw_formatted(random, formats)
    way, hollow = formatted.in_form_only(random)
    return Task(
        system=" ".join(filter(None, (random.choice(OPENINGS), formatted.instructions, after))),
        user=user(formatted),
        form=formatted.form,
        full=formatted.full,
        honest=formatted.honest,
        in_form_only=hollow,
        way=way,
    )
