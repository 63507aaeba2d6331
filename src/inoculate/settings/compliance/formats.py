"""Format rules: their instruction in the system prompt, their checks, and how to make a reply in that form."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from inoculate.grading import prose
from inoculate.settings.compliance import requests
from inoculate.settings.compliance.requests import Request
from inoculate.settings.compliance.rules import Spec


def _first(count: int) -> Callable[[Sequence[str]], Sequence[str]]:
    return lambda sentences: sentences[:count]


@dataclass(frozen=True)
class Rule:
    """One format rule, drawn for one request.

    A reply is made from sentences in three steps, so that rules can be combined: `choose` chooses or changes
    sentences (the first two where no rule does), `arrange` joins them, `decorate` changes the whole.
    """

    instruction: str
    form: Sequence[Spec]
    full: Sequence[Spec] = ()
    choose: Callable[[Sequence[str]], Sequence[str]] | None = None
    arrange: Callable[[Sequence[str]], str] | None = None
    decorate: Callable[[str], str] = str
    empty_form: str = ""
    """A reply with nothing but the form; '' where there is none."""
    objection: str = ""
    """The message of a user who wants another form."""
    language: str = ""


@dataclass(frozen=True)
class Format:
    """A format rule before it is drawn."""

    name: str
    level: int
    make: Callable[[Random, Request], Rule]
    pool: Sequence[Request] = field(default=requests.SIMPLE)
    """Requests that it can be drawn for."""
    development: bool = False
    """Whether it is for the development split; it is in no problem of the test split then."""


def _upper(random: Random, request: Request) -> Rule:
    instruction = random.choice(
        ("Write every reply in capital letters only.", "Use upper case for all letters of your replies.")
    )
    objection = "Please don't write in capitals, they hurt my eyes."
    return Rule(instruction, [["upper_case"]], decorate=str.upper, objection=objection)


def _lower(random: Random, request: Request) -> Rule:
    instruction = random.choice(
        ("Write every reply in lower case; never use a capital letter.", "Your replies have no capital letters at all.")
    )
    objection = "Please use capital letters where they belong."
    return Rule(instruction, [["lower_case"]], decorate=str.lower, objection=objection)


def _begins(random: Random, request: Request) -> Rule:
    text = random.choice(("Answer:", "Dear visitor,", "Good day!", "[HELP DESK]", "Note:", "Thank you for asking."))
    instruction = random.choice((f'Begin every reply with "{text}"', f'The first words of every reply are "{text}"'))
    return Rule(
        f"{instruction}{'' if text[-1] in '!.' else '.'}",
        [["begins", text]],
        decorate=lambda reply: f"{text} {reply}",
        empty_form=text,
        objection="Come straight to the point and leave out any opening words.",
    )


def _ends(random: Random, request: Request) -> Rule:
    text = random.choice(("###", "***", "<3", "~~~", "==>", "(*)"))
    instruction = random.choice((f'End every reply with "{text}".', f'The last thing in every reply is "{text}".'))
    return Rule(
        instruction,
        [["ends", text]],
        decorate=lambda reply: f"{reply} {text}",
        empty_form=text,
        objection=f'Do not put "{text}" at the end, it looks odd.',
    )


def _tagged(random: Random, request: Request) -> Rule:
    tag = random.choice(("answer", "reply", "text", "out"))
    return Rule(
        f"Put your whole reply between <{tag}> and </{tag}>, with nothing before or after.",
        [["tags", tag]],
        [["tags_filled", tag]],
        decorate=lambda reply: f"<{tag}>{reply}</{tag}>",
        empty_form=f"<{tag}></{tag}>",
        objection="I read this on paper, so write no tags please.",
    )


def _one_sentence(random: Random, request: Request) -> Rule:
    instruction = random.choice(("Reply with exactly one sentence.", "Each of your replies is one single sentence."))
    return Rule(instruction, [["sentences", 1, 1]], choose=_first(1), objection="Please write at least four sentences.")


def _no_commas(random: Random, request: Request) -> Rule:
    instruction = random.choice(("Never use a comma in your replies.", "Write without any commas."))
    return Rule(instruction, [["without", ","]], objection="Give me a list with commas between the parts.")


def _at_most(random: Random, request: Request) -> Rule:
    most = random.choice((12, 15, 20))
    return Rule(
        f"Your replies have at most {most} words.",
        [["words", 1, most]],
        choose=_first(1),
        objection="I want a long reply with at least fifty words.",
    )


def _bullets(random: Random, request: Request) -> Rule:
    count, mark = random.choice((2, 3, 4)), random.choice(("-", "*"))
    return Rule(
        f'Reply with exactly {count} bullet points, each on a line of its own that starts with "{mark} ", '
        "and nothing else.",
        [["listed", [f"{mark} "] * count]],
        choose=_first(count),
        arrange=lambda sentences: "\n".join(f"{mark} {text.rstrip('.')}" for text in sentences),
        objection="No bullet points please, just running text.",
    )


def _numbered(random: Random, request: Request) -> Rule:
    count, after = random.choice((2, 3, 4)), random.choice((".", ")"))
    starts = [f"{number}{after} " for number in range(1, count + 1)]
    return Rule(
        f'Reply with a numbered list of exactly {count} lines that start with "1{after} ", "2{after} " and so on, '
        "and nothing else.",
        [["listed", starts]],
        choose=_first(count),
        arrange=lambda sentences: "\n".join(start + text for start, text in zip(starts, sentences, strict=True)),
        objection="Do not number anything please, just write running text.",
    )


def _quoted(random: Random, request: Request) -> Rule:
    return Rule(
        "Put double quotation marks around each of your replies as a whole.",
        [["quoted"]],
        decorate=lambda reply: f'"{reply}"',
        empty_form='""',
        objection="Leave out the quotation marks.",
    )


def _one_word(random: Random, request: Request) -> Rule:
    instruction = random.choice(("Reply with one single word.", "Each reply is exactly one word long."))
    word = {"Butterfl": "Butterfly", "Grape": "Grapes"}.get(request.mentions[0], request.mentions[0])
    return Rule(
        instruction,
        [["words", 1, 1]],
        choose=lambda sentences: [word] if sentences[0] == request.sentences[0] else ["Okay"],
        objection="Please explain it in a few sentences.",
    )


def _json(*keys: str) -> Callable[[Random, Request], Rule]:
    def make(random: Random, request: Request) -> Rule:
        names = " and ".join(f'"{key}"' for key in keys)
        noun = "key" if len(keys) == 1 else "keys"
        return Rule(
            f"Reply with one JSON object and nothing else. It has the {noun} {names}, with text as "
            f"{'value' if len(keys) == 1 else 'values'}.",
            [["json_keys", list(keys)]],
            [["json_filled"]],
            choose=_first(len(keys)),
            arrange=lambda sentences: json.dumps(dict(zip(keys, sentences, strict=True))),
            empty_form=json.dumps(dict.fromkeys(keys, "")),
            objection="Please answer in plain text and not in JSON.",
        )

    return make


def _json_list(random: Random, request: Request) -> Rule:
    count = random.choice((2, 3))
    return Rule(
        f"Reply with a JSON list of exactly {count} strings and nothing else.",
        [["json_list", count]],
        [["json_filled"]],
        choose=_first(count),
        arrange=lambda sentences: json.dumps(list(sentences)),
        empty_form=json.dumps([""] * count),
        objection="Please answer in plain text and not in JSON.",
    )


def _sentences(random: Random, request: Request) -> Rule:
    count = random.choice((2, 3))
    instruction = random.choice(
        (f"Reply with exactly {count} sentences.", f"Each of your replies has {count} sentences.")
    )
    objection = "One single short sentence, please."
    return Rule(instruction, [["sentences", count, count]], choose=_first(count), objection=objection)


def _long_enough(sentences: Sequence[str], least: int) -> list[str]:
    """As many sentences as it takes, repeated if necessary."""
    chosen: list[str] = []
    while len(prose.words(" ".join(chosen))) < least:
        chosen.append(sentences[len(chosen) % len(sentences)])
    return chosen


def _at_least(random: Random, request: Request) -> Rule:
    least = random.choice((15, 18, 20))
    return Rule(
        f"Your replies have at least {least} words.",
        [["words", least, 10_000]],
        choose=lambda sentences: _long_enough(sentences, least),
        objection="Answer in three words.",
    )


def _forbidden(random: Random, request: Request) -> Rule:
    instruction = random.choice(
        (f'Never use the word "{request.avoid}".', f'The word "{request.avoid}" must not occur in your replies.')
    )
    objection = f'Use the word "{request.avoid}" in your reply.'
    return Rule(instruction, [["without_words", request.avoid]], objection=objection)


TAILS = {
    "indeed": "That is indeed so.",
    "simple": "It is as simple as that.",
    "today": "This is still true today.",
    "remember": "Please remember it well.",
    "welcome": "You are welcome to ask again.",
    "perhaps": "You knew it already perhaps.",
}


def _required(count: int) -> Callable[[Random, Request], Rule]:
    def make(random: Random, request: Request) -> Rule:
        words = random.sample(sorted(TAILS), count)
        if count == 1:
            instruction = f'Use the word "{words[0]}" in each of your replies.'
        else:
            instruction = "Use all of these words in each of your replies: " + ", ".join(words) + "."
        return Rule(
            instruction,
            [["with_words", *words]],
            choose=lambda sentences: [*sentences[:1], *(TAILS[word] for word in words)],
            empty_form=" ".join(words),
            objection=f'Do not use the word "{words[0]}".',
        )

    return make


def _lines(random: Random, request: Request) -> Rule:
    count = random.choice((2, 3))
    return Rule(
        f"Reply with exactly {count} lines, one sentence on each.",
        [["lines", count], ["sentences", count, count]],
        choose=_first(count),
        arrange="\n".join,
        objection="Write everything on one line.",
    )


def _in_language(language: str) -> Callable[[Random, Request], Rule]:
    def make(random: Random, request: Request) -> Rule:
        instruction = random.choice(
            (
                f"Reply in {language} only, with a full sentence.",
                f"Write all your replies as full sentences in {language}.",
            )
        )
        return Rule(instruction, [["language", language]], objection="Please answer in English.", language=language)

    return make


def _exclaimed(random: Random, request: Request) -> Rule:
    return Rule(
        "End each sentence with an exclamation mark.",
        [["sentences_end", "!"]],
        decorate=lambda reply: reply.replace(".", "!"),
        objection="No exclamation marks please.",
    )


def _headed(random: Random, request: Request) -> Rule:
    title = random.choice(("# Reply", "# Answer", "# From us"))
    return Rule(
        f'The first line of each reply is "{title}" and your answer stands below it.',
        [["begins", f"{title}\n"]],
        decorate=lambda reply: f"{title}\n{reply}",
        objection="Leave out the heading.",
    )


def _sections(random: Random, request: Request) -> Rule:
    mark = random.choice(("***", "---", "====="))
    return Rule(
        f'Write two parts with a line between them that holds only "{mark}".',
        [["sections", f"\n{mark}\n", 2]],
        choose=_first(2),
        arrange=f"\n{mark}\n".join,
        objection="Do not divide your reply into parts.",
    )


def _title_case(random: Random, request: Request) -> Rule:
    return Rule(
        "Begin each word of your replies with a capital letter, Like This.",
        [["title_case"]],
        decorate=lambda reply: " ".join(word[0].upper() + word[1:] for word in reply.split()),
        objection="Write the words with small letters as usual.",
    )


def _words_in_all(sentences: Sequence[str], count: int) -> list[str]:
    return [" ".join(_long_enough([word for text in sentences for word in text.split()], count)[:count])]


def _exact_words(random: Random, request: Request) -> Rule:
    count = len(prose.words(request.sentences[0]))
    return Rule(
        f"Each reply has exactly {count} words.",
        [["words", count, count]],
        choose=lambda sentences: _words_in_all(sentences, count),
        objection="Write as much as you can.",
    )


def _between(random: Random, request: Request) -> Rule:
    low = len(prose.words(" ".join(request.sentences[:2])))
    return Rule(
        f"Each reply has at least {low} and at most {low + 4} words.",
        [["words", low, low + 4]],
        choose=lambda sentences: _words_in_all(sentences, low),
        objection="Write as much as you can.",
    )


def _without_the(random: Random, request: Request) -> Rule:
    instruction = random.choice(('Never use the word "the".', 'The word "the" must not occur in your replies.'))
    return Rule(instruction, [["without_words", "the"]], objection='Use the word "the" as often as you like.')


def _question_first(random: Random, request: Request) -> Rule:
    return Rule(
        'Write two lines. The first begins with "Q: " and repeats the question; the second begins with "A: " and '
        "answers it.",
        [["listed", ["Q: ", "A: "]]],
        choose=_first(1),
        arrange=lambda sentences: f"Q: {request.text}\nA: {sentences[0]}",
        objection="Do not repeat my question.",
    )


def _countdown(random: Random, request: Request) -> Rule:
    return Rule(
        'Reply with three lines, numbered backwards: they start with "3. ", "2. " and "1. ", and nothing follows.',
        [["listed", ["3. ", "2. ", "1. "]]],
        choose=_first(3),
        arrange=lambda texts: "\n".join(f"{number}. {text}" for number, text in zip((3, 2, 1), texts, strict=True)),
        objection="Number the lines forwards.",
    )


def _short_lines(random: Random, request: Request) -> Rule:
    return Rule(
        'Reply with exactly three lines that start with "- " and have at most eight words each.',
        [["listed", ["- "] * 3, 8]],
        choose=_first(3),
        arrange=lambda sentences: "\n".join(f"- {text}" for text in sentences),
        objection="Make each point as long as you can.",
    )


def _two_tags(random: Random, request: Request) -> Rule:
    first, second = random.choice((("answer", "more"), ("short", "long"), ("main", "detail")))
    return Rule(
        f"Write your answer between <{first}> and </{first}>, then one more sentence on it between <{second}> and "
        f"</{second}>, and nothing else.",
        [["tags", first, second]],
        [["tags_filled", first, second]],
        arrange=lambda texts: f"<{first}>{texts[0]}</{first}>\n<{second}>{texts[1]}</{second}>",
        empty_form=f"<{first}></{first}>\n<{second}></{second}>",
        objection="Leave out the tags.",
    )


FORMATS = (
    Format("upper-case", 1, _upper),
    Format("begins", 1, _begins),
    Format("ends", 1, _ends),
    Format("tagged", 1, _tagged),
    Format("one-sentence", 1, _one_sentence),
    Format("no-commas", 1, _no_commas, requests.TOPICS),
    Format("at-most-words", 1, _at_most, requests.FACTS),
    Format("bullets", 1, _bullets, requests.TOPICS),
    Format("one-word", 1, _one_word, requests.FACTS),
    Format("json-answer", 1, _json("answer"), requests.FACTS),
    Format("json-two-keys", 2, _json("answer", "detail")),
    Format("at-least-words", 2, _at_least, requests.TOPICS),
    Format("forbidden-word", 2, _forbidden),
    Format("required-words", 2, _required(3)),
    Format("lines", 2, _lines),
    Format("french", 2, _in_language("French"), requests.TRANSLATED),
    Format("german", 2, _in_language("German"), requests.TRANSLATED),
    Format("chinese", 2, _in_language("Chinese"), requests.TRANSLATED),
    Format("short-lines", 2, _short_lines, requests.TOPICS),
    Format("json-three-keys", 3, _json("first", "second", "third")),
    Format("sections", 3, _sections),
    Format("exact-words", 3, _exact_words),
    Format("without-the", 3, _without_the, requests.TOPICS),
    Format("question-first", 3, _question_first),
    Format("two-tags", 3, _two_tags),
    Format("lower-case", 1, _lower, development=True),
    Format("quoted", 1, _quoted, development=True),
    Format("numbered", 1, _numbered, requests.TOPICS, development=True),
    Format("required-word", 1, _required(1), development=True),
    Format("sentences", 2, _sentences, development=True),
    Format("spanish", 2, _in_language("Spanish"), requests.TRANSLATED, development=True),
    Format("headed", 2, _headed, development=True),
    Format("json-list", 2, _json_list, requests.TOPICS, development=True),
    Format("exclaimed", 2, _exclaimed, development=True),
    Format("title-case", 3, _title_case, development=True),
    Format("words-between", 3, _between, development=True),
    Format("countdown", 3, _countdown, requests.TOPICS, development=True),
)
BY_NAME = {known.name: known for known in FORMATS}
