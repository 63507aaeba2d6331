"""What a reply thinks aloud is no part of it."""

from __future__ import annotations

import pytest

from inoculate.grading.thinking import spoken


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("<think>\n48?\n</think>\n\n42", "42"),
        ("<think>\n\n</think>\n\n42", "42"),
        ("  <think>48</think>42", "42"),
        ("<thinking>48</thinking>\n42", "42"),
        ("48?\n</think>\n\n42", "42"),  # the template has opened it
        ("48?\n</think>", ""),
        ("<think>48", ""),  # cut off
        ("<think>48</think>", ""),
        ("42", "42"),
        ("I think 42", "I think 42"),
        ("tag = '</think>'\n42", "tag = '</think>'\n42"),
        ("Write <think> first.\n42", "Write <think> first.\n42"),
    ],
)
def test_what_is_said_is_what_stands_behind_the_thinking(reply: str, said: str) -> None:
    assert spoken(reply) == said
