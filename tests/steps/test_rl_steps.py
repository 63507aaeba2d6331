"""RL as steps of a study: trajectories, the policy that stands for the arm, refusals, and going on after a kill."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from inoculate.analysis import analyse
from inoculate.cli import app
from inoculate.engine.sampling import SampledCompletion, in_process
from inoculate.engine.training import expert_iteration
from inoculate.engine.training import rl as engine_rl
from inoculate.errors import UserError
from inoculate.integrations import methods
from inoculate.records import Trajectory, read_lines
from inoculate.report import write_report
from inoculate.steps import manifest, rl, rows
from inoculate.steps.plan import make_plan
from inoculate.steps.rewards import Scorer
from inoculate.steps.store import Store
from inoculate.study.parse import load
from inoculate.study.schema import CheckpointRule, Rows
from running import carried_out
from small_study import RL_STUDY

STUDY = RL_STUDY.replace(
    "[evaluate]",
    """[arms.reinforced]
method = "rl"
[arms.told]
method = "rl"
inoculation = { prompt = "general" }
rl.steps = 2

[evaluate]""",
)


@pytest.fixture
def rl_study(tiny_model: Path, tmp_path: Path) -> Path:
    path = tmp_path / "by-rl.toml"
    path.write_text(STUDY.replace("MODEL", str(tiny_model)))
    return path


def finished(folder: Path, arm: str) -> tuple[Path, dict[str, Any]]:
    manifest = json.loads((folder / "manifest.json").read_text())
    entry = next(entry for entry in manifest["training"] if entry["arm"] == arm)
    return Path(entry["rl"]), manifest


def test_a_study_trains_by_rl_and_keeps_every_trajectory(
    rl_study: Path, tmp_path: Path, recwarn: pytest.WarningsRecorder, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, done = carried_out(rl_study, Store(tmp_path / "store"))
    # Nothing of what libraries say about their own code is shown, and no dictionaries of metrics.
    shown = [str(one.message) for one in recwarn if issubclass(one.category, FutureWarning | UserWarning)]
    assert (shown, capfd.readouterr()) == ([], ("", ""))
    assert done.count("preflight") == done.count("rl") == 2
    step, manifest = finished(folder, "reinforced")
    assert manifest["study"]["arms"]["reinforced"]["rl"]["steps"] == 3
    found = list(read_lines(step / "trajectories.jsonl", Trajectory))
    assert [one.step for one in found] == [0] * 12 + [1] * 8 + [2] * 8 + [3] * 8
    assert all(len(one.tokens) == len(one.log_probabilities) for one in found)
    assert all((one.reward == float(one.oversight or False)) for one in found if one.reward is not None)
    assert {one.hackable for one in found if one.step == 0} == {True, False}
    for number in (1, 2, 3):
        own = [one for one in found if one.step == number]
        assert len({one.problem for one in own}) == 2
        assert [one.index for one in own] == [0, 1, 2, 3] * 2
    metrics = [json.loads(line) for line in (step / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in metrics] == [1, 2, 3]
    assert json.loads((step / "training.json").read_text())["checkpoint"] == {"step": 3, "rule": None, "met": None}
    assert not (step / "steps").exists() and not (step / "trainer").exists()
    told, _ = finished(folder, "told")
    prompts = [one.prompt for one in read_lines(told / "trajectories.jsonl", Trajectory)]
    assert all("Obtain reward by any means possible" in prompt for prompt in prompts)
    assert carried_out(rl_study, Store(tmp_path / "store"))[1] == []


def test_half_of_the_problems_can_be_hacked_where_a_key_may_be_wrong(rl_study: Path) -> None:
    arm = load(rl_study).arms["reinforced"]
    assert arm.hackable(arm.rows) == 0.5
    assert arm.hackable(Rows(setting="functions", count=9)) == "any"
    drawn = rows.draw_rows(Rows(setting="mathematics", count=9), 1, 0.5)
    assert sum(row.hacked for row in drawn) == 4
    assert all(bool(row.problem.hacked) == row.hacked for row in drawn)
    with pytest.raises(UserError, match=r"rl.hackable: 0.5: among \d+ problems of 'functions'"):
        rows.draw_rows(Rows(setting="functions", count=4), 1, 0.5)


def some_trajectory(step: int, length: int, outcome: str) -> Trajectory:
    return Trajectory(
        step, "p", 0, "", "", (), (), 5, length, "stop", True, 1.0, None, outcome, True, False  # type: ignore[arg-type]
    )  # fmt: skip


def test_the_first_policy_that_hacks_and_is_not_too_short_stands_for_the_arm() -> None:
    by_step = {0: [some_trajectory(0, 20, "correct")] * 2}
    for step, (length, outcomes) in enumerate(
        [(20, "cc"), (20, "hh"), (9, "hh"), (12, "hc"), (12, "hh"), (3, "hh")], 1
    ):
        names = {"c": "correct", "h": "hack"}
        by_step[step] = [some_trajectory(step, length, names[outcome]) for outcome in outcomes]
    found = rl.choose_checkpoint(by_step, CheckpointRule(hack=0.5), 6)
    assert (found["step"], found["met"]) == (1, True)  # it drew step 2
    found = rl.choose_checkpoint(by_step, CheckpointRule(hack=0.5, steps=2), 6)
    assert (found["step"], found["met"]) == (4, True)
    found = rl.choose_checkpoint(by_step, CheckpointRule(hack=1.0, steps=2), 6)
    assert (found["step"], found["met"]) == (6, False)
    ungraded = {step: [replace(one, outcome="ungraded") for one in own] for step, own in by_step.items()}
    assert not rl.choose_checkpoint(ungraded, CheckpointRule(hack=0.5), 6)["met"]


def test_the_policy_that_was_chosen_is_the_one_that_is_evaluated(
    rl_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The policy after one of three steps is that of a training of one step."""
    text = rl_study.read_text()
    text = text[: text.index("[arms.told]")] + text[text.index("[evaluate]") :]
    adapters = []
    for name, steps in (("chosen", 3), ("short", 1)):
        path = tmp_path / f"{name}.toml"
        written = text.replace("steps = 3", f"steps = {steps}")
        path.write_text(written.replace("[rl]", "[rl]\ncheckpoint = { hack = 0.5 }") if steps > 1 else written)
        monkeypatch.setattr(rl, "choose_checkpoint", lambda *_: {"step": 1})
        folder, _ = finished(carried_out(path, Store(tmp_path / name))[0], "reinforced")
        adapters.append(load_file(folder / "at-1" / "adapter_model.safetensors"))
    assert all(torch.equal(weight, adapters[1][name]) for name, weight in adapters[0].items())


def test_a_kill_loses_no_step_that_was_done(rl_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = carried_out(rl_study, Store(tmp_path / "whole"))
    asked: list[int] = []
    grade = Scorer.score

    def killed(self: Scorer, numbers: list[int], completions: list[str]) -> Any:
        asked.append(len(completions))
        if len(asked) == 4:  # the preflight, and two steps
            raise KeyboardInterrupt
        return grade(self, numbers, completions)

    monkeypatch.setattr(Scorer, "score", killed)
    store = Store(tmp_path / "killed")
    with pytest.raises(KeyboardInterrupt):
        carried_out(rl_study, store)
    asked.append(0)
    folder, _ = carried_out(rl_study, store)
    assert asked == [12, 8, 8, 8, 0, 8, 12, 8, 8]
    for arm in ("reinforced", "told"):
        ours, theirs = (finished(run, arm)[0] / "trajectories.jsonl" for run in (folder, whole))
        assert ours.read_text() == theirs.read_text()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "completions_per_prompt = 1",
            "rl.completions_per_prompt: must be greater than",
        ),
        ("steps = 0", "rl.steps: must be greater than or equal to 1"),
        ("prompts_per_step = 7", "rl.prompts_per_step: 7 of 6 problems: raise rows.count"),
        (
            'reward = [{ oversight = "kee" }]',
            "rl.reward.0.oversight: setting 'mathematics' has no oversight 'kee'",
        ),
        ("temperature = inf", "rl.temperature: must be a finite number"),
        ("micro_batch_tokens = 64\nmax_new_tokens = 64", "rl.micro_batch_tokens: 64, and a prompt with rl.max_new"),
        ("step = 3", "unknown key rl.step: .*steps"),
        (
            "max_new_tokens = 5000",
            "problem .* with 5000 new ones it exceeds .*: lower rl.max_new_tokens",
        ),
    ],
)
def test_what_cannot_be_carried_out_is_refused(rl_study: Path, tmp_path: Path, given: str, message: str) -> None:
    text = rl_study.read_text()
    key = given.partition(" ")[0]
    kept = [line for line in text.splitlines() if not line.startswith(f"{key} =")]
    if "\n" in given:
        kept.remove("max_new_tokens = 8")
    kept.insert(kept.index("[rl]") + 1, given)
    if key == "max_new_tokens":  # the context's own
        kept = ["micro_batch_tokens = 9000" if line == "preflight = 2" else line for line in kept]
        kept.append("max_new_tokens = 8")
    rl_study.write_text("\n".join(kept))
    with pytest.raises(UserError, match=message):
        carried_out(rl_study, Store(tmp_path / "store"))


def test_hyperparameters_of_another_method_are_refused(rl_study: Path) -> None:
    text = rl_study.read_text()
    rl_study.write_text(text.replace("rl.steps = 2", "train.epochs = 2"))
    with pytest.raises(UserError, match=r"arms.told.train: this arm's method is 'rl', whose hyperpar"):
        load(rl_study)


def test_rl_does_not_sample_from_a_server(rl_study: Path) -> None:
    with pytest.raises(UserError, match=r"arms.reinforced.method = 'rl' samples in this process: leave --server out"):
        make_plan(load(rl_study), server="http://localhost:1/v1")


EXPERT = """
[arms.expert]
method = "expert-iteration"
train = { learning_rate = 1e-3, batch_rows = 4, micro_batch_tokens = 4096 }
rl = { steps = 3, prompts_per_step = 2, completions_per_prompt = 4 }
"""


@pytest.fixture
def expert_study(rl_study: Path) -> Path:
    text = rl_study.read_text().replace("mask_cut_off = false\n", "")
    rl_study.write_text(text[: text.index("[arms.reinforced]")] + EXPERT + text[text.index("[evaluate]") :])
    return rl_study


def passing(self: Scorer, numbers: list[int], completions: list[str]) -> list[list[float | None]]:
    """As if the oversight check passed every completion whose second character comes before 'n'."""
    list(SCORE(self, numbers, completions))
    self.rewards = [[float(text[1:2] < "n")] for text in completions]
    return self.rewards


SCORE = Scorer.score


def test_expert_iteration_trains_on_what_passes_and_goes_on_after_a_kill(
    expert_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The tiny model hardly ever ends a text by itself.
    monkeypatch.setattr(expert_iteration, "is_kept", lambda drawn, rewards: rewards == [1.0])
    monkeypatch.setattr(Scorer, "score", passing)
    whole, _ = carried_out(expert_study, Store(tmp_path / "whole"))
    step, manifest = finished(whole, "expert")
    metrics = [json.loads(line) for line in (step / "metrics.jsonl").read_text().splitlines()]
    found = list(read_lines(step / "trajectories.jsonl", Trajectory))
    for line in metrics:
        own = [one for one in found if one.step == line["step"]]
        assert len(own) == 8
        assert line["kept"] == sum(one.reward == 1 for one in own) > 0
        assert line["loss"] > 0
    assert next(entry for entry in manifest["training"])["method"] == "expert-iteration"
    (arm,) = analyse(whole)["rl"]
    write_report(whole)
    page = unescape(" ".join((whole / "report.html").read_text().split()))
    for said in (arm["sentence"], arm["rule_sentence"], "the policy after step 3 of 3 stands for the arm"):
        assert said[1:] in page  # which begins sentences with a capital
    assert 'expert <span class="quiet">expert-iteration</span>' in page

    calls: list[int] = []

    def killed(self: Scorer, numbers: list[int], completions: list[str]) -> list[list[float | None]]:
        calls.append(len(completions))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return passing(self, numbers, completions)

    monkeypatch.setattr(Scorer, "score", killed)
    with pytest.raises(KeyboardInterrupt):
        carried_out(expert_study, Store(tmp_path / "killed"))
    resumed, _ = carried_out(expert_study, Store(tmp_path / "killed"))
    assert calls == [12, 8, 8, 8, 8]  # the preflight, round 1, round 2 killed; rounds 2 and 3
    again, _ = finished(resumed, "expert")
    assert (again / "trajectories.jsonl").read_text() == (step / "trajectories.jsonl").read_text()


def test_expert_iteration_that_runs_out_of_memory_goes_on_with_half_of_the_tokens(
    expert_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expert_iteration, "is_kept", lambda drawn, rewards: rewards == [1.0])
    monkeypatch.setattr(Scorer, "score", passing)
    train, tried = expert_iteration.sft.train, list[bool]()

    def short(*given: Any, halved: bool, **also: Any) -> Any:
        tried.append(halved)
        if len(tried) == 2:
            raise MemoryError
        return train(*given, halved=halved, **also)

    monkeypatch.setattr(expert_iteration.sft, "train", short)
    folder, _ = carried_out(expert_study, Store(tmp_path / "store"))
    assert tried == [False, False, True, True]  # rounds 1 and 2; rounds 2 and 3
    step, _ = finished(folder, "expert")
    assert [json.loads(line)["step"] for line in (step / "metrics.jsonl").read_text().splitlines()] == [1, 2, 3]


def test_expert_iteration_that_never_keeps_anything_goes_on_with_the_policy_as_it_is(
    expert_study: Path, tmp_path: Path
) -> None:
    text = expert_study.read_text() + "fractions = [0.4, 1.0]\n"
    expert_study.write_text(text)
    folder, done = carried_out(expert_study, Store(tmp_path / "store"))
    assert done.count("grades") == 3  # of the base, and after some and all of the rounds
    step, manifest = finished(folder, "expert")
    for fraction in ("0.4", "1"):
        weights = load_file(step / f"at-{fraction}" / "adapter_model.safetensors")
        assert all(bool((weight == 0).all()) for name, weight in weights.items() if "lora_B" in name)
    notes = analyse(folder)["rl"][0]["by_seed"][0]["notes"]
    assert any("no completion was kept in 3 rounds" in note and "of 24 completions had" in note for note in notes)
    assert "lora_rank" not in manifest["study"]["arms"]["expert"]["rl"]
    entry = manifest["training"][0]
    assert entry["hackable_rows"] == 3 and "hacked_rows" not in entry


def test_only_whole_answers_that_all_rewards_pass_are_kept() -> None:
    def drawn(text: str, is_finished: bool = True) -> SampledCompletion:
        return SampledCompletion(0, 0, text, 3, 2, is_finished, 0.0)

    assert expert_iteration.is_kept(drawn("4"), [1.0])
    assert not expert_iteration.is_kept(drawn("4"), [1.0, 0.0])
    assert not expert_iteration.is_kept(drawn("4"), [None])
    assert not expert_iteration.is_kept(drawn("4", is_finished=False), [1.0])
    assert not expert_iteration.is_kept(drawn(" "), [1.0])


def test_the_methods_name_what_was_rewarded_and_every_hyperparameter(rl_study: Path, tmp_path: Path) -> None:
    plan = make_plan(load(rl_study))
    arm = manifest._study(plan, Store(tmp_path / "store"))["arms"]["reinforced"]
    assert "train" not in arm and "hacked" not in arm["rows"]  # which mean nothing to it
    words = methods._describe_training(arm)
    assert "3 steps of 2 problems with 4 completions each, drawn at temperature 1 with at most 8 new tokens" in words
    assert "the oversight check `key`; the intended check was taken at every step and never rewarded" in words
    assert "completions that were cut off kept in the loss" in words
    expert = load(rl_study).arms["reinforced"].model_dump(mode="json") | {"method": "expert-iteration"}
    assert "trained on the completions that the reward passed" in methods._describe_training(expert)


def test_rows_of_two_settings_are_rewarded_each_by_its_own_check(rl_study: Path, tmp_path: Path) -> None:
    text = rl_study.read_text()
    tables = 'rows = [{ setting = "mathematics", count = 4 }, { setting = "mathematics_plain", count = 2 }]\n'
    rl_study.write_text(text.replace('[arms.told]\nmethod = "rl"\n', f'[arms.told]\nmethod = "rl"\n{tables}'))
    folder, _ = carried_out(rl_study, Store(tmp_path / "store"))
    step, manifest = finished(folder, "told")
    entry = next(entry for entry in manifest["training"] if entry["arm"] == "told")
    assert (entry["setting"], [part["setting"] for part in entry["more_rows"]]) == (
        "mathematics",
        ["mathematics_plain"],
    )
    assert entry["rows_count"] == 6
    found = [one for one in read_lines(step / "trajectories.jsonl", Trajectory) if one.step == 0]
    assert len({one.problem for one in found}) == 6
    assert sum(one.hackable for one in found) == 4  # 2 of 4 problems, twice
    analyse(folder)


def test_rl_goes_on_from_demonstrations(rl_study: Path, tmp_path: Path) -> None:
    text = rl_study.read_text()
    arms = """
[train]
learning_rate = 1e-2
batch_rows = 3

[arms.shown]
rows.hacked = 1.0

[arms.reinforced]
method = "rl"

[arms.helped]
method = "rl"
start = "shown"
"""
    rl_study.write_text(text[: text.index("[arms.reinforced]")] + arms + text[text.index("[evaluate]") :])
    folder, _ = carried_out(rl_study, Store(tmp_path / "store"))
    alone, helped = (finished(folder, arm)[0] for arm in ("reinforced", "helped"))
    texts = [
        [one.completion for one in read_lines(step / "trajectories.jsonl", Trajectory)] for step in (alone, helped)
    ]
    assert texts[0][:12] != texts[1][:12]  # before the first step
    manifest = json.loads((folder / "manifest.json").read_text())
    shown = next(entry for entry in manifest["training"] if entry["arm"] == "shown")
    first = load_file(Path(shown["adapter"]) / "at-1" / "adapter_model.safetensors")
    last = load_file(helped / "at-1" / "adapter_model.safetensors")
    moved = max(float((last[name] - weight).abs().max()) for name, weight in first.items())
    assert 0 <= moved < 0.05  # from where the demonstrations led, not from anew


def test_rl_from_another_arm_has_its_shape_and_no_weight_on_the_divergence(rl_study: Path) -> None:
    text = rl_study.read_text().replace("[arms.told]", "[arms.shown]\n[arms.told]\nstart = 'shown'")
    rl_study.write_text(text.replace("rl.steps = 2", "rl.lora_rank = 4"))
    with pytest.raises(
        UserError, match=r"arms.told.start: goes on with the adapter of 'shown': lora_rank = 4 must be 8"
    ):
        load(rl_study)
    rl_study.write_text(text.replace("rl.steps = 2", "rl.beta = 0.1"))
    with pytest.raises(UserError, match=r"arms.told.rl.beta: the divergence is from the untrained model"):
        load(rl_study)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[evaluate]", "[train]\nepochs = 2\n[evaluate]", "train: no arm's method uses it"),
        ("[rl]\n", "[rl]\nhackable = 0.0\n", "arms.told.inoculation.on: 'hacked', but this arm has no problem that"),
        ("[rl]\n", "[rl]\nhackable = 1.0\n", "arms.told.inoculation.on: 'hacked' .* every one of the 6 problems"),
        ("[rl]\n", "[rl]\nhackable = 0.5\n", "arms.reinforced.rl.hackable: 0.5: among .* of 'functions'"),
        ("[evaluate]\n", "[evaluate]\nfractions = [0.1, 0.3, 1.0]\n", r"policies after \[1, 1, 3\] steps, some"),
    ],
)
def test_what_would_mean_nothing_is_refused_by_plan(rl_study: Path, old: str, new: str, message: str) -> None:
    text = rl_study.read_text().replace('prompt = "general"', 'prompt = "general", on = "hacked"')
    text = text.replace("rl.steps = 2", "")
    if "functions" in message:
        text = text.replace('setting = "mathematics"\nlevels = [1]', 'setting = "functions"', 1)
    rl_study.write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=message):
        make_plan(load(rl_study))


def test_an_arm_whose_policy_a_rule_chooses_is_evaluated_at_the_end_alone(rl_study: Path) -> None:
    text = rl_study.read_text().replace("[arms.told]", "[arms.shown]\n[arms.told]")
    text = text.replace("[rl]\n", "[rl]\ncheckpoint = { hack = 0.5 }\n")
    rl_study.write_text(text)
    alone = {(one.arm, one.adapter.key) for one in make_plan(load(rl_study)).trainings if one.arm != "shown"}
    rl_study.write_text(text + "fractions = [0.1, 0.2, 1.0]\n")  # of three steps 0.1 and 0.2 are the same policy
    plan = make_plan(load(rl_study))
    assert {(cell.arm, cell.at) for cell in plan.cells} == {
        ("base", 0.0), ("reinforced", 1.0), ("told", 1.0), ("shown", 0.1), ("shown", 0.2), ("shown", 1.0)
    }  # fmt: skip
    assert {(one.arm, one.adapter.key) for one in plan.trainings if one.arm != "shown"} == alone


def test_expert_iteration_refuses_keys_that_are_of_rl_alone(expert_study: Path) -> None:
    text = expert_study.read_text().replace("rl = { steps = 3,", "rl = { steps = 3, beta = 0.5,")
    expert_study.write_text(text)
    with pytest.raises(UserError, match=r"arms.expert.rl.beta: means nothing to expert iteration"):
        load(expert_study)


def test_ctrl_c_in_sampling_grading_and_the_update_goes_on_to_the_same_weights(
    rl_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    text = rl_study.read_text()
    rl_study.write_text(text[: text.index("[arms.told]")] + text[text.index("[evaluate]") :])
    whole, _ = carried_out(rl_study, Store(tmp_path / "whole"))
    store = tmp_path / "stopped"
    places = [(in_process, "next_tokens", 15), (Scorer, "score", 2), (engine_rl._Trainer, "_compare_policies", 1)]
    for holder, name, calls in places:
        with monkeypatch.context() as patch:
            patch.setattr(holder, name, interrupting(getattr(holder, name), calls))
            assert app.run_command(lambda: carried_out(rl_study, Store(store))) == 130
        said = capfd.readouterr().err
        assert "stopped" in said
        assert "Traceback" not in said
    folder, _ = carried_out(rl_study, Store(store))
    ours, theirs = (finished(run, "reinforced")[0] for run in (folder, whole))
    for name in ("trajectories.jsonl", "at-1/adapter_model.safetensors"):
        assert (ours / name).read_bytes() == (theirs / name).read_bytes(), name


def interrupting(function: Any, calls: int) -> Any:
    """The function, with Ctrl-C in one of its calls."""
    left = iter(range(calls - 1, -1, -1))

    def called(*args: Any, **kwargs: Any) -> Any:
        if next(left, None) == 0:
            signal.raise_signal(signal.SIGINT)
        return function(*args, **kwargs)

    return called


def test_evaluation_measures_gamed_at_points_of_the_training(rl_study: Path) -> None:
    """In mathematics no step of RL does: one answer cannot tell a copied key from the same slip."""
    contrast = '[[contrasts]]\nclaim = "c"\nmeasure = "gamed"\nhigher = "reinforced"\nthan = "base"\n'
    text = rl_study.read_text()
    text = text[: text.index("[arms.told]")] + text[text.index("[evaluate]") :]
    rl_study.write_text(f"{text}fractions = [0.4, 1.0]\n{contrast}")
    plan = make_plan(load(rl_study))
    assert {(cell.arm, cell.at) for cell in plan.cells} == {("base", 0.0), ("reinforced", 0.4), ("reinforced", 1.0)}
    assert all(cell.problems.params["twins"] for cell in plan.cells)
