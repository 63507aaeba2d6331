"""Sampling from a server that fails on purpose: nothing is lost, doubled or given to another prompt."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2
import pytest
from transformers import AutoTokenizer

import fake_server
from inoculate.engine.sampling import Request, SampledCompletion, server
from inoculate.errors import UserError
from inoculate.records import Completion, Problem, read_lines
from inoculate.steps import plan as planning
from inoculate.steps import run
from inoculate.steps.store import Store
from inoculate.study.parse import load
from running import Log

PROMPTS = [f"<|im_start|>user\n{number} and {number % 7}<|im_end|>\n" for number in range(40)]
FAULTS = "503,drop,429,half,abort,500,502"


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(server, "LONGEST_WAIT", 0.1)
    monkeypatch.setattr(server, "IN_FLIGHT", 8)


@pytest.fixture
def port() -> int:
    return fake_server.free_port()


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_config.json").write_text('{"r": 8}')
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    return folder


def sampler(port: int, model: Path, adapter: Path | None = None) -> server.Sampler:
    found = server.connect(f"http://127.0.0.1:{port}/v1/", "fake", model)
    return server.Sampler(found, AutoTokenizer.from_pretrained(model), adapter)


def drawing(which: server.Sampler, **given: Any) -> Any:
    how = {"samples": 2, "temperature": 1.0, "max_new_tokens": 8, "seed": 3, **given}
    return (batch for _, batch in server.sample(which, [Request(PROMPTS, **how)]))


def check(which: server.Sampler, found: list[SampledCompletion], *, samples: int, temperature: float) -> None:
    """Every completion is there once, under what it was asked for."""
    model = server.adapter_name(which.adapter) if which.adapter else "fake"
    counts = Counter((drawn.prompt, drawn.index) for drawn in found)
    assert counts == {(prompt, index): 1 for prompt in range(len(PROMPTS)) for index in range(samples)}
    for drawn in found:
        ids = which.tokenizer(PROMPTS[drawn.prompt], add_special_tokens=False)["input_ids"]
        seed = server.completion_seed(3, drawn.prompt, drawn.index)
        assert drawn.text == fake_server.answer(model, ids, seed, temperature)
        assert (drawn.prompt_tokens, drawn.completion_tokens, drawn.finished) == (len(ids), 4, True)


def logged(log: Path, what: str) -> list[Any]:
    lines = log.read_text().splitlines() if log.exists() else []
    return [line[what] for line in map(json.loads, lines) if what in line]


@pytest.mark.parametrize(("samples", "temperature"), [(1, 0.0), (2, 1.0)])
def test_whatever_fails_every_completion_is_there_once(
    tiny_model: Path, tmp_path: Path, port: int, samples: int, temperature: float
) -> None:
    with fake_server.running(port, tmp_path / "log", faults=FAULTS, every=2):
        which = sampler(port, tiny_model)
        found = [drawn for batch in drawing(which, samples=samples, temperature=temperature) for drawn in batch]
        check(which, found, samples=samples, temperature=temperature)
        assert len(logged(tmp_path / "log", "text")) == len(found)
        end = which.tokenizer.convert_tokens_to_ids("<|im_end|>")
        assert all(stops == [end] for stops in logged(tmp_path / "log", "stops")), "where the chat template ends a turn"


def test_sampling_continues_after_a_server_restart(tiny_model: Path, tmp_path: Path, port: int, adapter: Path) -> None:
    log = tmp_path / "log"
    process = fake_server.start(port, log, delay=0.05)
    which = sampler(port, tiny_model, adapter)
    again: list[Any] = []

    def kill_and_start() -> None:
        while len(logged(log, "text")) < 20:
            time.sleep(0.01)
        process.kill()
        process.wait()
        again.append(fake_server.start(port, log))

    killer = threading.Thread(target=kill_and_start)
    killer.start()
    try:
        found = [drawn for batch in drawing(which) for drawn in batch]
    finally:
        killer.join()
        again[0].kill()
        again[0].wait()
    check(which, found, samples=2, temperature=1.0)
    assert logged(log, "loaded") == [server.adapter_name(adapter)] * 2  # the new process knew nothing of it


def test_completions_that_arrived_are_not_requested_again(tiny_model: Path, tmp_path: Path, port: int) -> None:
    log = tmp_path / "log"
    with fake_server.running(port, log, delay=0.01):
        which = sampler(port, tiny_model)
        started = drawing(which)
        first = [drawn for batch in islice(started, 5) for drawn in batch]
        started.close()
        time.sleep(0.2)  # what was in flight is logged, or not
        before = len(logged(log, "text"))
        rest = [d for batch in drawing(which, done=[(d.prompt, d.index) for d in first]) for d in batch]
        check(which, first + rest, samples=2, temperature=1.0)
        assert len(logged(log, "text")) - before == len(rest)
        assert list(drawing(which, done=[(d.prompt, d.index) for d in first + rest])) == []


def test_retries_end_and_completions_that_arrived_are_yielded(
    tiny_model: Path, tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "RETRY_SECONDS", 0.3)
    with fake_server.running(port, tmp_path / "log", delay=0.01) as process:
        which = sampler(port, tiny_model)
        found: list[SampledCompletion] = []
        with pytest.raises(UserError, match=r"has not answered for 0 s.*run the same command again"):
            for batch in drawing(which):
                found += batch
                if len(found) > 10:
                    process.kill()
        assert 10 < len(found) < 80
        assert len({(drawn.prompt, drawn.index) for drawn in found}) == len(found)


def test_an_adapter_is_loaded_once_and_named_by_its_content(
    tiny_model: Path, tmp_path: Path, port: int, adapter: Path
) -> None:
    log = tmp_path / "log"
    with fake_server.running(port, log):
        which = sampler(port, tiny_model, adapter)
        for _ in range(2):
            check(which, [d for b in drawing(which, samples=1) for d in b], samples=1, temperature=1.0)
        assert logged(log, "loaded") == logged(log, "unloaded") == [server.adapter_name(adapter)] * 2
        (adapter / "adapter_model.safetensors").write_bytes(b"other weights")
        next(drawing(which))
        assert len(set(logged(log, "loaded"))) == 2


def test_several_cells_are_drawn_at_once_and_told_apart(tiny_model: Path, tmp_path: Path, port: int) -> None:
    log, how = tmp_path / "log", {"samples": 1, "temperature": 1.0, "max_new_tokens": 8, "seed": 3}
    with fake_server.running(port, log, delay=0.1):
        which = sampler(port, tiny_model)
        ended = Request(PROMPTS[:1], **how, done=[(0, 0)])
        found: dict[int, list[SampledCompletion]] = {}
        for number, batch in server.sample(which, [Request(PROMPTS[:4], **how), ended, Request(PROMPTS[4:7], **how)]):
            found.setdefault(number, []).extend(batch)
    assert {number: sorted(one.prompt for one in drawn) for number, drawn in found.items()} == {
        0: [0, 1, 2, 3],
        2: [0, 1, 2],
    }
    for number, first in ((0, 0), (2, 4)):
        for drawn in found[number]:
            ids = which.tokenizer(PROMPTS[first + drawn.prompt], add_special_tokens=False)["input_ids"]
            assert drawn.text == fake_server.answer("fake", ids, server.completion_seed(3, drawn.prompt, 0), 1.0)
    assert max(map(len, logged(log, "beside"))) > 4, "prompts of both cells are answered at once"


@pytest.mark.parametrize("slots", [0, 1])
def test_arms_share_a_server_that_has_room_for_one_adapter(
    tiny_model: Path, tmp_path: Path, port: int, adapter: Path, slots: int
) -> None:
    other = tmp_path / "other"
    shutil.copytree(adapter, other)
    (other / "adapter_model.safetensors").write_bytes(b"of another arm")
    log, found = tmp_path / "log", dict[Path, list[SampledCompletion]]()
    with fake_server.running(port, log, slots=slots, delay=0.02):
        arms = [sampler(port, tiny_model, folder) for folder in (adapter, other)]

        def draw(which: server.Sampler) -> None:
            assert which.adapter
            found[which.adapter] = [drawn for batch in drawing(which) for drawn in batch]

        threads = [threading.Thread(target=draw, args=(which,)) for which in arms]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for which in arms:
            assert which.adapter
            check(which, found[which.adapter], samples=2, temperature=1.0)
        assert {one["id"] for one in httpx2.get(f"http://127.0.0.1:{port}/v1/models").json()["data"]} == {"fake"}
    names = {server.adapter_name(folder) for folder in (adapter, other)}
    assert set(logged(log, "loaded")) == names
    assert (len(logged(log, "loaded")) > 2) == bool(slots), "one drives out the other, and is loaded again"
    at_once = [{name for name in names for one in beside if one.startswith(name)} for beside in logged(log, "beside")]
    assert slots or names in at_once


def test_a_folder_and_a_name_both_find_the_model(tiny_model: Path, tmp_path: Path, port: int) -> None:
    with fake_server.running(port, tmp_path / "log", model="short", root=tiny_model, context=77):
        found = server.connect(f"http://127.0.0.1:{port}/v1", "a-study's-name", tiny_model)
    assert (found.model, found.context, found.description["version"]) == ("short", 77, "fake")


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        ({}, "", "/models answered 404.*usually ends in /v1"),
        ({"model": "other"}, "/v1", "does not serve 'fake': it serves other; start one with: VLLM_ALLOW"),
        ({"key": "secret"}, "/v1", "needs a key: put it into INOCULATE_SERVER_KEY"),
    ],
)
def test_an_unsuitable_server_is_refused(
    tmp_path: Path, port: int, given: dict[str, Any], path: str, message: str
) -> None:
    with (
        fake_server.running(port, tmp_path / "log", **given),
        pytest.raises(UserError, match=message),
    ):
        server.connect(f"http://127.0.0.1:{port}{path}", "fake", tmp_path)


def test_a_key_is_sent(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(server.KEY_VARIABLE, "secret")
    with fake_server.running(port, tmp_path / "log", key="secret"):
        assert server.connect(f"http://127.0.0.1:{port}/v1", "fake", tmp_path).model == "fake"


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/v1", "127.0.0.1:{port}", "http://[", "localhost"])
def test_a_missing_server_is_reported_at_once(tmp_path: Path, port: int, url: str) -> None:
    with pytest.raises(UserError, match=r"no server answers at .*vllm serve"):
        server.connect(url.format(port=port), "fake", tmp_path)


def test_an_adapter_that_is_refused(tiny_model: Path, tmp_path: Path, port: int, adapter: Path) -> None:
    with (
        fake_server.running(port, tmp_path / "log", fixed=True),
        pytest.raises(UserError, match=r"did not load.*404.*VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and --enable-lora"),
    ):
        next(drawing(sampler(port, tiny_model, adapter)))


@pytest.mark.parametrize(("given", "message"), [("context", "exceeds the context of 16"), ("limit", "the limit is 16")])
def test_a_context_that_is_too_short(tiny_model: Path, tmp_path: Path, port: int, given: str, message: str) -> None:
    with fake_server.running(port, tmp_path / "log", **{given: 16}), pytest.raises(UserError, match=message):
        next(drawing(sampler(port, tiny_model)))


def test_completion_seeds_are_far_apart() -> None:
    """Consecutive seeds would: a server may count up from a request's seed."""
    seeds = {
        server.completion_seed(seed, prompt, index) for seed in range(3) for prompt in range(100) for index in range(8)
    }
    assert len(seeds) == 2400
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert not any(seed + 1 in seeds for seed in seeds)


def test_a_study_resumes_after_its_server_was_down(
    study_file: Path, tiny_model: Path, tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "RETRY_SECONDS", 0.3)
    study, store, log = load(study_file), Store(tmp_path / "store"), tmp_path / "log"
    url = f"http://127.0.0.1:{port}/v1"
    plan = planning.make_plan(study, server=url)

    def carry_out() -> list[str]:
        watcher = Log()
        run.carry_out(plan, store, watcher, study_file.read_text())
        return watcher.done

    with pytest.raises(UserError, match=r"no server answers"):
        carry_out()
    with fake_server.running(port, log, root=tiny_model, faults="503") as process:
        monkeypatch.setattr(Log, "on_progress", lambda self, done, total, note: note == "sampled" and process.kill())
        with pytest.raises(UserError, match=r"has not answered"):
            carry_out()
    monkeypatch.setattr(Log, "on_progress", lambda *_: None)
    with fake_server.running(port, log, root=tiny_model):
        assert carry_out().count("completions") >= 7
        assert carry_out() == []
    assert {len(set(logged(log, "loaded"))), len(logged(log, "loaded"))} == {3}  # once for both contexts of an arm
    assert sorted(logged(log, "unloaded")) == sorted(logged(log, "loaded"))
    for cell in plan.cells:
        found = list(read_lines(store.folder(cell.completions) / "completions.jsonl", Completion))
        problems = list(read_lines(store.folder(cell.problems) / "problems.jsonl", Problem))
        assert [line.problem for line in found] == [problem.id for problem in problems]
        assert len({line.completion for line in found}) == len(found)
        (engine,) = json.loads((store.folder(cell.completions) / "engines.json").read_text())
        assert (engine["server"], engine["version"]) == (url, "fake")


def kept(store: Store) -> int:
    """Completions of steps that are not finished."""
    if len(list(store.root.glob("steps/completions/*"))) < 2:
        return 0
    return sum(path.read_text().count('"problem"') for path in store.root.glob("work/completions-*/drawn.jsonl"))


def test_ctrl_c_while_a_server_samples_and_grading_runs_beside_it(
    study_file: Path, tiny_model: Path, tmp_path: Path, port: int
) -> None:
    store, log = Store(tmp_path / "store"), tmp_path / "log"
    url = f"http://127.0.0.1:{port}/v1"
    command = [sys.executable, "-m", "inoculate", "run", str(study_file), "--store", str(store.root), "--server", url]
    plan = planning.make_plan(load(study_file), server=url)
    with fake_server.running(port, log, root=tiny_model, stall=15):  # two cells of six, and half of the third
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # background jobs ignore it
        )
        deadline = time.monotonic() + 600
        while kept(store) < 3 and time.monotonic() < deadline:  # those of finished cells are elsewhere by then
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert "finished steps are kept" in process.communicate()[1]
        assert process.returncode == 130
    before = store.finished_keys(plan.steps())
    with fake_server.running(port, log, root=tiny_model):
        run.carry_out(plan, store, Log(), study_file.read_text())
    assert store.finished_keys(plan.steps()) == {step.key for step in plan.steps()}
    assert sum(cell.completions.key in before for cell in plan.cells) == 2
    texts = logged(log, "text")
    assert len(texts) == len(set(texts)) == 6 * len(plan.cells)  # what came before was not asked for again


def test_another_engine_makes_other_samples_but_no_other_adapters(study_file: Path) -> None:
    study = load(study_file)
    here, there, moved = (planning.make_plan(study, server=url) for url in ("", "http://a/v1", "http://b/v1"))
    assert [t.adapter.key for t in here.trainings] == [t.adapter.key for t in there.trainings]
    assert not {c.completions.key for c in here.cells} & {c.completions.key for c in there.cells}
    assert [c.grades.key for c in there.cells] == [c.grades.key for c in moved.cells]
