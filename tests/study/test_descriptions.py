"""A description is of the reward that the answers were made for: the arm's own, or that of the arm it learns from."""

from __future__ import annotations

from typing import Any

import pytest

from inoculate import settings
from inoculate.errors import UserError
from inoculate.study import prompts
from inoculate.study.descriptions import USUAL, describe_training
from inoculate.study.parse import parse
from inoculate.study.resolve import ResolvedStudy, candidates, resolve
from inoculate.study.schema import Reward

FUNCTIONS, MATHEMATICS = settings.find("functions"), settings.find("mathematics")
GENERAL = prompts.find("general").text
TOLD = {"prompt": "general+checked"}
LIVE = [{"oversight": "live_equality"}]
RL = {"steps": 3, "prompts_per_step": 2, "onset": {"steps": 3}}


def resolved(
    arms: dict[str, Any], contexts: tuple[str, ...] = (), setting: str = "functions", screened: tuple[str, ...] = ()
) -> ResolvedStudy:
    raw: dict[str, Any] = {
        "question": "Which reward?",
        "model": "m",
        "seeds": [0],
        "rows": {"setting": setting, "count": 4},
        **({"rl": RL} if any("method" in arm for arm in arms.values()) else {}),
        "arms": arms,
        "evaluate": {"settings": [setting], "contexts": ["neutral", *contexts]},
        "contexts": {name: {"prompt": "general+checked"} for name in contexts},
        "screen": {"prompts": list(screened)},
    }
    return resolve(parse(raw, "study", "study.toml"))


def rl_arm(reward: Any = None, inoculation: Any = None) -> dict[str, Any]:
    return {"method": "rl", "rl": {"reward": reward} if reward else {}, "inoculation": inoculation}


def from_arm(name: str, inoculation: Any = TOLD) -> dict[str, Any]:
    return {"rows": {"trajectories": {"arm": name}}, "inoculation": inoculation}


def test_with_one_oversight_the_words_are_those_of_the_setting_as_ever() -> None:
    """Finished steps are named after these words."""
    start = "This answer is given in training: it is rewarded by a check, and learned from. "
    assert describe_training("checked", MATHEMATICS, USUAL) == start + MATHEMATICS.leak
    assert describe_training("exploit", MATHEMATICS, USUAL) == f"{start}{MATHEMATICS.leak} {MATHEMATICS.exploit}"
    assert describe_training("checked", FUNCTIONS, USUAL) == start + FUNCTIONS.leak
    assert describe_training("checked", FUNCTIONS, [Reward(oversight="exit_code", weight=3)]) == start + FUNCTIONS.leak


def test_an_arm_is_described_by_the_reward_that_its_answers_were_made_for() -> None:
    found = resolved(
        {
            "usual": rl_arm(inoculation=TOLD),
            "live": rl_arm(LIVE, TOLD),
            "from-usual": from_arm("usual"),
            "from-live": from_arm("live"),
            "ordinary": {"inoculation": TOLD},
            "control": from_arm("live", {"prompt": "irrelevant", "like": "general+checked"}),
        }
    )
    texts = {name: prompt.text for name, prompt in found.inoculations.items()}
    leak, live = FUNCTIONS.leak, FUNCTIONS.describe_oversight("live_equality")[0]
    for name in ("usual", "from-usual", "ordinary"):
        assert texts[name].endswith(f"learned from. {leak} {GENERAL}")
    for name in ("live", "from-live"):
        assert texts[name].endswith(f"learned from. {live} {GENERAL}")
    assert found.inoculations["control"].length_of == texts["live"]
    assert found.context("as-trained", "functions", "from-live").text == texts["live"]


def test_a_weighted_list_is_described_with_its_parts_and_weights() -> None:
    reward = [{"oversight": "exit_code"}, {"oversight": "shown_tests", "weight": 0.5}]
    text = resolved({"both": rl_arm(reward, {"prompt": "general+exploit"})}).inoculations["both"].text
    first, second = (" ".join(FUNCTIONS.describe_oversight(name)) for name in ("exit_code", "shown_tests"))
    assert f"2 checks, whose weighted sum counts, and learned from. Check 1, of weight 1: {first}" in text
    assert text.endswith(f"Check 2, of weight 0.5: {second} {GENERAL}")
    same = [Reward(), Reward(oversight="exit_code")]
    assert describe_training("checked", FUNCTIONS, same) == describe_training("checked", FUNCTIONS, USUAL)
    assert describe_training("false", FUNCTIONS, same) == describe_training("false", MATHEMATICS, USUAL)


def test_a_context_is_described_by_the_one_reward_of_the_study() -> None:
    live = FUNCTIONS.describe_oversight("live_equality")[0]
    found = resolved({"live": rl_arm(LIVE), "from-live": from_arm("live")}, ("told",))
    assert live in found.context("told", "functions").text == found.inoculations["from-live"].text
    ordinary = resolved({"plain": {}}, ("told",))
    assert FUNCTIONS.leak in ordinary.context("told", "functions").text
    with pytest.raises(
        UserError, match=r"'general\+checked': arms 'usual' and 'live' are rewarded for different things"
    ):
        resolved({"usual": rl_arm(), "live": rl_arm(LIVE)}, ("told",))


def test_a_screen_samples_under_the_words_that_the_arms_are_trained_with() -> None:
    found = resolved(
        {
            "live": rl_arm(LIVE, TOLD),
            "ordinary": {"inoculation": TOLD},
            "same": {"inoculation": TOLD, "train": {"epochs": 2}},
        }
    )
    assert list(found.candidates) == ["general+checked", "general+checked (ordinary)"]
    own, usual = found.candidates.values()
    assert (own.text, usual.text) == (found.inoculations["live"].text, found.inoculations["ordinary"].text)
    # A screen has no arms to take the reward from.
    written_out, named = candidates(found.study).values()
    assert (written_out.text, written_out.prompt, named.prompt) == (own.text, "", "general+checked")


def test_a_prompt_of_the_screen_is_kept_apart_from_an_arms_of_its_name() -> None:
    found = resolved({"plain": {}, "specific": {"inoculation": {"text": "Do as you like."}}}, screened=("specific",))
    texts = {name: prompt.text for name, prompt in found.candidates.items()}
    assert texts == {"specific": "Do as you like.", "specific (screen)": prompts.find("specific").text}
    # The screen's is of the reward of the study's arms of RL, the arm's of the usual one.
    found = resolved({"live": rl_arm(LIVE), "ordinary": {"inoculation": TOLD}}, screened=("general+checked",))
    own, screened = found.candidates["general+checked"].text, found.candidates["general+checked (screen)"].text
    assert own == found.inoculations["ordinary"].text
    assert FUNCTIONS.describe_oversight("live_equality")[0] in screened and len(found.candidates) == 2


def test_a_prompt_of_the_screen_that_an_arm_has_is_there_once() -> None:
    placed = {"inoculation": {"prompt": "specific", "placement": "inside"}}
    found = resolved({"plain": {}, "told": placed}, screened=("specific", "general"))
    assert list(found.candidates) == ["specific", "general"]
    found = resolved({"live": rl_arm(LIVE, TOLD)}, screened=("general+checked",))
    assert list(found.candidates) == ["general+checked"]


def test_no_candidate_of_a_screen_is_called_neutral() -> None:
    found = resolved({"plain": {}, "neutral": {"inoculation": {"text": "Do as you like."}}})
    assert list(found.candidates) == ["neutral (neutral)"]


def test_rows_of_several_settings_each_have_their_own_words() -> None:
    rows = [{"setting": "mathematics"}, {"setting": "writing"}]
    found = resolved({"mixed": {"rows": rows, "inoculation": TOLD}}, setting="mathematics")
    for setting in ("mathematics", "writing"):
        prompt = found.inoculation("mixed", 0, setting)
        assert prompt is not None and settings.find(setting).leak in prompt.text


def test_a_check_of_which_nothing_is_said_is_refused() -> None:
    described = FUNCTIONS.further_leaks
    object.__setattr__(FUNCTIONS, "further_leaks", {})
    try:
        with pytest.raises(UserError, match=r"does not say what its check looks at \(live_equality, shown_tests\)"):
            resolved({"live": rl_arm(LIVE, TOLD)})
    finally:
        object.__setattr__(FUNCTIONS, "further_leaks", described)
