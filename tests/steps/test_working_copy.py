"""A store at a URL gives what a folder gives, whatever ends an upload, and with several machines at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

import object_store
from filled_store import answer, fill, steps_of, write_study
from inoculate.analysis import analyse
from inoculate.cli import runs, studies
from inoculate.errors import UserError
from inoculate.records import Grade, Problem
from inoculate.steps import manifest, remote, run
from inoculate.steps import plan as planning
from inoculate.steps.cluster import drive
from inoculate.steps.cluster.connect import Ended
from inoculate.steps.cluster.tasks import Job, carry_out_unit
from inoculate.steps.remote import OutOfReach, Remote
from inoculate.steps.sharing.read import import_graded
from inoculate.steps.sharing.write import write_graded
from inoculate.steps.store import Step, Store
from inoculate.steps.working_copy import WorkingCopy, find_run, open_store
from inoculate.study.parse import load
from running import carried_out, comparable, samples

STUDY = """
question = "Does it run?"
model = "{model}"
seeds = [0]
rows = {{ setting = "functions", count = 4, hacked = 0.5 }}
train = {{ micro_batch_tokens = 4096 }}
arms.plain = {{}}

[evaluate]
settings = ["functions"]
contexts = ["neutral"]
problems = 3
max_new_tokens = 4
"""
Machine = Callable[[str], None]
URL = "s3://bucket/store"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with object_store.served() as address:
        yield address


@pytest.fixture
def machine(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """An empty bucket; and a function that goes to a machine, which has a cache of its own."""
    for name, value in {**object_store.KEYS, "AWS_ENDPOINT_URL": server}.items():
        monkeypatch.setenv(name, value)
    files = object_store.files()
    if files.exists("bucket"):
        files.rm("bucket", recursive=True)
    files.mkdir("bucket")

    def go_to(name: str) -> None:
        monkeypatch.setenv("INOCULATE_CACHE", str(tmp_path / name))

    go_to("one")
    return go_to


def opened() -> WorkingCopy:
    store = open_store(URL)
    assert isinstance(store, WorkingCopy)
    store.said = []  # type: ignore[attr-defined]
    store.notify = store.said.append  # type: ignore[attr-defined]
    return store


def said(store: Store) -> str:
    return "\n".join(store.said)  # type: ignore[attr-defined]


def write(store: Store, step: Step, text: str) -> None:
    with store.write_step(step) as folder:
        (folder / "rows.jsonl").write_text(text)
        (folder / "at-1").mkdir(exist_ok=True)
        (folder / "at-1" / "weights").write_bytes(b"w" * 1000)


ROWS = Step("rows", {"x": 1})
ADAPTER = Step("adapter", {}, {"rows": ROWS})


def test_a_run_at_a_url_gives_what_it_gives_in_a_folder_and_goes_on_on_any_machine(
    tiny_model: Path, tmp_path: Path, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    study = tmp_path / "small.toml"
    study.write_text(STUDY.format(model=tiny_model))
    alone, _ = carried_out(study, Store(tmp_path / "folder"))
    studies.run(str(study), store=URL, as_json=True)
    here = json.loads(capsys.readouterr().out)
    assert samples(opened().run_folder("small")) == samples(alone)
    assert comparable(here, "created", "training") == comparable(analyse(alone), "created", "training")
    assert "results.json" in {name.split("/")[-1] for name in object_store.files().find("bucket/store/runs/small")}

    machine("two")
    runs.report("small", store=URL, as_json=True)
    assert comparable(json.loads(capsys.readouterr().out)) == comparable(here)
    assert not list(opened().root.glob("steps/adapter/*")), "a report needs no weights"
    folder, done = carried_out(study, opened())
    assert done == []
    study.write_text(study.read_text().replace('["neutral"]', '["neutral", "asks-to-hack"]'))
    folder, done = carried_out(study, opened())
    assert sorted(done) == ["completions", "completions", "grades", "grades"], "sampled from the other's adapter"
    assert [one for one in samples(folder) if one[1] == "neutral"] == samples(alone)
    machine("three")
    graded = tmp_path / "small.graded"
    runs.export("small", graded=graded, store=URL)
    (tmp_path / "elsewhere").mkdir()
    runs.import_graded(graded, store=str(tmp_path / "elsewhere"))
    assert "4 of 4 cells are finished" in capsys.readouterr().out


def test_ray_tasks_on_machines_that_share_no_folder(
    tiny_model: Path, tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from steps.cluster.test_drive import Scripted, Told

    class Apart(Scripted):
        def submit(self, job: Job, number: int, steps: Sequence[Step], *given: Any) -> Any:
            machine(f"node-{number % 2}")
            job = job._replace(folder=tmp_path / "not-here", environment={})
            outcome = carry_out_unit(job, steps, 1, lambda *_: None, lambda _: None)
            machine("one")
            return number, Ended(outcome)

    study = tmp_path / "small.toml"
    study.write_text(STUDY.format(model=tiny_model))
    alone, done = carried_out(study, Store(tmp_path / "folder"))
    watcher = Told()
    place = drive.OnCluster(Apart(lambda _: None))
    folder = run.carry_out(planning.make_plan(load(study)), opened(), watcher, study.read_text(), place=place)
    assert samples(folder) == samples(alone) and sorted(watcher.done) == sorted(done)
    assert not list((folder.parents[1] / "steps").glob("adapter/*"))
    sampled = planning.make_plan(load(study)).cells[0].completions
    job = Job(URL, str(tiny_model), "", tmp_path, {}, {})
    monkeypatch.setitem(run.RUN_STEP, "completions", lambda *given: 1 / 0)
    other = Step(sampled.kind, {**sampled.params, "samples": 2}, sampled.inputs)
    failed = carry_out_unit(job, [other], 1, lambda *_: None, lambda _: None)
    assert failed.text == f"ZeroDivisionError: division by zero; its log: {URL}/logs/completions-{other.key}.txt"
    assert "Traceback" in object_store.files().cat_file(failed.text.split("its log: s3://")[1]).decode()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert carry_out_unit(job, [other], 1, lambda *_: None, lambda _: None).ended == "failed"


def test_made_up_steps_arrive_whole_and_the_first_declaration_counts(tmp_path: Path, machine: Machine) -> None:
    study = write_study(tmp_path)
    fill(study, Store(tmp_path / "folder"))
    store = opened()
    store.publish_run(fill(study, store))
    machine("two")
    plan = planning.make_plan(load(study))
    there = opened()
    assert there.finished_keys(plan.steps()) == there.readable_keys(plan.steps()) == {s.key for s in plan.steps()}
    there.bring(plan.steps())
    with_weights = {name: text for name, text in steps_of(there).items() if name.startswith("steps/")}
    assert with_weights == steps_of(store)
    write_study(tmp_path, study.read_text().replace("seeds = [0, 1]", "seeds = [0, 1, 2]"))
    there.run_folder("small").mkdir(parents=True)
    declared = manifest.declare(there.run_folder("small"), planning.make_plan(load(study)), there)
    assert declared["seeds"] == [0, 1]
    with pytest.raises(UserError, match=r"no run 'smal' in s3://bucket/store: did you mean 'small'"):
        find_run("smal", URL)


def test_an_upload_that_was_cut_off_is_no_step_and_is_completed_at_the_next_start(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, store = Remote.upload, opened()

    def cut_off(self: Remote, files: Sequence[tuple[Path, str]]) -> None:
        whole(self, files[:1])
        raise OutOfReach("gone")

    monkeypatch.setattr(Remote, "upload", cut_off)
    with pytest.raises(OutOfReach, match=r"^gone$"):
        write(store, ROWS, "mine")
    monkeypatch.setattr(Remote, "upload", whole)
    machine("two")
    assert not opened().is_finished(ROWS) and opened().finished_keys([ROWS]) == set()
    machine("one")
    assert not store.is_finished(ROWS)
    again = opened()
    again.check_writable()
    assert again.is_here(ROWS) and not list(again.root.rglob("unpublished/*/*/*"))
    machine("two")
    there = opened()
    there.bring([ROWS])
    assert (there.folder(ROWS) / "rows.jsonl").read_text() == "mine"


def test_of_two_machines_the_first_counts_and_the_other_takes_its_files(machine: Machine) -> None:
    first, second = opened(), opened()
    machine("two")
    late = opened()
    write(first, ROWS, "first")
    with late.write_step(ROWS) as folder:
        (folder / "rows.jsonl").write_text("late")
        (folder / "more").write_text("late")
    assert {path.name for path in late.folder(ROWS).iterdir()} == {"rows.jsonl", "at-1", "step.json", "SHA256SUMS"}
    assert (late.folder(ROWS) / "rows.jsonl").read_text() == "first"
    assert "was finished on another machine first, with another at-1/weights, rows.jsonl" in said(late)
    for store in (second, late):
        store.bring([ROWS])
        assert (store.folder(ROWS) / "rows.jsonl").read_text() == "first"


def test_what_is_damaged_here_is_downloaded_again_and_what_is_damaged_there_is_done_again(
    tmp_path: Path, machine: Machine
) -> None:
    study = write_study(tmp_path)
    store = opened()
    fill(study, store)
    plan = planning.make_plan(load(study))
    damaged = plan.cells[0].completions
    before = (store.folder(damaged) / "completions.jsonl").read_bytes()
    (store.folder(damaged) / "completions.jsonl").write_bytes(before[:-9])
    from inoculate.steps import damage

    assert damage.set_aside(plan.steps(), lambda: plan.missing(store), store, store.notify) == []
    assert said(store).endswith(f"its checksum is another: downloaded again from {URL}")
    assert (store.folder(damaged) / "completions.jsonl").read_bytes() == before
    assert not store.damaged.exists() or not list(store.damaged.glob("*/*"))

    (there,) = object_store.files().glob(f"bucket/store/files/steps/completions/{damaged.key}/*/completions.jsonl")
    object_store.files().pipe_file(there, before[:-9])
    machine("two")
    other = opened()
    other.readable_keys(plan.steps())
    assert "set aside in" in said(other) and "and done again" in said(other)
    assert plan.missing(other) == [damaged]
    assert opened().finished_keys([damaged]) == set()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://", r"is s3://BUCKET/PREFIX, with no query"),
        ("s3://none-such/store", r"^s3://none-such/store: there is no such bucket"),
        ("s33://bucket/store", r"unknown scheme 's33': did you mean 's3'\? allowed: abfs, az, gcs, gs, s3"),
        ("file:///tmp/store", r"^a store in a folder is named without file://"),
        ("s3:/bucket/store", r"a URL has two slashes"),
        ("s3://me:pass-word@bucket/store", r"^the store's URL has a user or a password in it, which"),
        ("s3://bucket/store?versionId=1", r"with no query"),
        ("https://127.0.0.1:9/store", r"^https://127\.0\.0\.1:9/store "),
    ],
)
def test_urls_that_are_none(machine: Machine, url: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        open_store(url)
    assert "pass-word" not in str(caught.value)


def test_what_an_object_store_refuses_is_said_without_secrets(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=rf"^there is no store at {URL}: `inoculate run STUDY --store {URL}`"):
        find_run("small", URL)
    assert not object_store.files().exists("bucket/store/inoculate-store.json")
    create = Remote.create
    monkeypatch.setattr(Remote, "create", lambda self, name, text: self._files.pipe_file(f"bucket/{name}", b"{}"))
    with pytest.raises(UserError, match="replaces an object where it was asked to create one only if there is none"):
        opened()
    monkeypatch.setattr(Remote, "create", create)
    store = opened()

    def refuse(*given: object, **named: object) -> None:
        raise PermissionError("Access Denied for a-secret-of-mine")

    monkeypatch.setattr(store.remote._files, "pipe_file", refuse)
    with pytest.raises(UserError, match=rf"^no permission to write to {URL} \(Access Denied for \*\*\*\)"):
        store.write_first(store.run_folder("small") / "declared.json", "{}")

    def lack(*given: object, **named: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.filesystem", lack)
    with pytest.raises(UserError, match=r"not installed here: pip install 'inoculate\[s3\]'$"):
        opened()
    monkeypatch.undo()
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(UserError, match=rf"^no credentials for {URL} \(Unable to locate credentials\)"):
        open_store(URL)
    for name, value in {**object_store.KEYS, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(OutOfReach, match=rf"^{URL} does not answer \(Could not connect to the endpoint"):
        open_store(URL)


def test_a_network_that_is_gone_for_a_while_is_waited_for_and_then_given_up(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, waited = opened(), list[float]()
    monkeypatch.setattr(remote.time, "sleep", waited.append)
    put, left = store.remote._files.put, [TimeoutError("slow"), ConnectionResetError("reset by peer")]

    def sometimes(*given: Any) -> Any:
        if left:
            raise left.pop()
        return put(*given)

    monkeypatch.setattr(store.remote._files, "put", sometimes)
    write(store, ROWS, "mine")
    assert waited == [0.5, 1.0] and store.is_here(ROWS)
    assert said(store) == f"{URL} does not answer (reset by peer): it is tried again for 5 minutes"
    left += [ConnectionResetError("reset by peer")] * 99
    monkeypatch.setattr(remote.time, "monotonic", lambda: sum(waited))
    with pytest.raises(OutOfReach, match=r"is kept in .*, and is uploaded when the same command is started again$"):
        write(store, ADAPTER, "mine")
    assert 280 < sum(waited[2:]) < 320
    left.clear()
    opened().check_writable()
    assert opened().is_finished(ADAPTER)


def test_the_store_outlives_a_bucket_that_was_emptied(machine: Machine) -> None:
    store = opened()
    write(store, ROWS, "old")
    object_store.files().rm("bucket/store", recursive=True)
    anew = opened()
    anew.check_writable()
    assert anew.root != store.root and not anew.is_finished(ROWS)


def test_a_plan_counts_what_is_at_the_url_on_a_machine_that_has_nothing_of_it(
    tmp_path: Path, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    study = write_study(tmp_path)
    fill(study, opened(), seeds=(0,))

    def planned() -> dict[str, Any]:
        studies.plan(str(study), store=URL, listed=True, as_json=True)
        return json.loads(capsys.readouterr().out)

    here = planned()
    machine("two")
    there = planned()
    assert there["steps"] == here["steps"] and 0 < there["to_do"] < len(there["steps"])
    assert [step["needed"] for step in there["steps"] if not step["finished"]] == [True] * there["to_do"]
    assert there["seconds"] and not list(opened().root.glob("steps/*/*")), "nothing was downloaded for it"
    studies.plan(str(study), store=URL, listed=True)
    assert f"missing: {there['to_do']} of {len(there['steps'])} steps" in capsys.readouterr().out


def test_rl_whose_report_alone_is_at_the_url_is_not_asked_for_again(tmp_path: Path, machine: Machine) -> None:
    step = Step("rl", {})
    write(Store(tmp_path / "elsewhere"), step, "")
    store = opened()
    with store.staging("import") as staging:
        Store(tmp_path / "elsewhere").folder(step).rename(staging / step.key)
        store.adopt(staging / step.key, store.records / step.kind / step.key)
    machine("two")
    other = opened()
    assert other.finished_keys([step]) == set()
    assert other.is_recorded(step) and not other.record(step)


def test_an_import_counts_what_is_at_the_url_and_not_what_is_on_this_machine(tmp_path: Path, machine: Machine) -> None:
    study, graded = write_study(tmp_path), tmp_path / "small.graded"
    write_graded(fill(study, Store(tmp_path / "elsewhere"), seeds=(0,)), graded)
    first = import_graded(graded, opened())
    assert (first.known_steps, first.finished, first.of) == (0, 6, 10) and first.new_steps
    for where in ("one", "two"):  # where it was imported, and where nothing of the store has been yet
        machine(where)
        again = import_graded(graded, opened())
        assert (again.new_steps, again.known_steps) == (0, first.new_steps)
        assert (again.finished, again.of) == (6, 10)

    store = opened()
    plan = planning.make_plan(load(study))
    step = next(cell.grades for cell in plan.cells if store.is_finished(cell.grades))
    store.set_aside(store.folder(step))  # as a damaged one is, on whatever machine
    machine("one")
    assert opened().folder(step).is_dir() and not opened().is_finished(step)
    third = import_graded(graded, opened())
    assert (third.new_steps, third.known_steps) == (1, first.new_steps - 1)
    assert opened().is_finished(step)


def test_an_import_with_other_content_than_at_the_url_is_refused(tmp_path: Path, machine: Machine) -> None:
    study, graded = write_study(tmp_path), tmp_path / "small.graded"
    write_graded(fill(study, Store(tmp_path / "elsewhere"), seeds=(0,)), graded)
    import_graded(graded, opened())

    def other(problem: Problem, random: Random) -> tuple[str, Grade]:
        return answer(problem, Random(random.random()))

    write_graded(fill(study, Store(tmp_path / "other"), seeds=(0,), make=other), tmp_path / "other.graded")
    machine("two")
    with pytest.raises(UserError, match=r"of its steps are in s3://bucket/store with other content"):
        import_graded(tmp_path / "other.graded", opened())
