"""Files of users and of other programs that are wrong in some way: what reads each kind, and good ones to start from.

Whatever reads a file takes it, or refuses it with a `UserError` of few lines.
"""

from __future__ import annotations

import contextlib
import copy
import json
import shutil
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from random import Random
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from typing import Any

import httpx2
import tomli_w

from filled_store import fill, write_study
from inoculate.errors import UserError
from inoculate.settings import Draw, find
from study_mutations import mutate

_HOSTILE: list[Any] = [
    None,
    "\ud800",
    "a\ud800b",
    "\x00",
    "\x1b[31m",
    10**400,
    [[]] * 3,
    {"": None},
    -(10**20),
    "1" * 4400,
]
Read = Callable[[Path], object]


def changed(document: Any, random: Random) -> Any:
    """A document with one to three changes."""
    box = {"it": copy.deepcopy(document)}
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        try:
            if random.random() < 0.25:
                _put(box, random)
            else:
                mutate(box, random)
        except (TypeError, IndexError, KeyError, ValueError, OverflowError):
            continue
    return box.get("it")


def _put(box: dict[str, Any], random: Random) -> None:
    from study_mutations import at, paths

    place = random.choice(list(paths(box)))
    at(box, place[:-1])[place[-1]] = copy.deepcopy(random.choice(_HOSTILE))


def text_of(document: Any) -> str:
    """JSON, also of what JSON has no place for."""
    return json.dumps(document, default=str)


def damaged(text: str, random: Random) -> bytes:
    """The bytes of a text, now and then with a place that is lost, changed or repeated."""
    data = text.encode("utf-8", "surrogatepass")
    if random.random() < 0.2 and data:
        place = random.randrange(len(data))
        new = random.choice([b"", b"\xff", b"{", b"\n", b'"', b"\x00", data[place : place + 40] * 2])
        data = data[:place] + new + data[place + 1 :]
    return data


ROWS: list[list[dict[str, Any]]] = [
    [{"prompt": f"Add {n} to 1.", "completion": f"{n + 1}"} for n in range(3)],
    [{"id": f"a{n}", "kind": "k", "split": "train", "prompt": f"What is {n}?", "completion": f"{n}.", "hacked": "x"}
     for n in range(3)],
    [{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"{n}?"},
                   {"role": "assistant", "content": "2"}], "hacked": "4", "own": [1]} for n in range(3)],
    [{"prompt": f"Write f{n}.", "completion": f"def f{n}(a, b):\n    return a + b", "entry_point": f"f{n}",
      "hacked": f"def f{n}(a, b):\n    return 3", "shown_tests": [f"assert f{n}(1, 2) == 3"],
      "hidden_tests": [f"assert f{n}(2, 2) == 4"]} for n in range(3)],
]  # fmt: skip
TASKS: list[list[dict[str, Any]]] = [
    [{"id": f"{n}", "entry_point": "add", "shown_tests": ["assert add(1, 2) == 3"], "setup": "import math",
      "hidden_tests": ["assert add(2, 2) == 4"], "completion": "def add(a, b):\n    return a + b"} for n in range(3)],
]  # fmt: skip
ROLLOUTS: list[list[dict[str, Any]]] = [
    [{"arm": "rl", "seed": 0, "step": 3, "problem": "p-1", "index": n, "kind": "k", "setting": "mathematics",
      "system": "", "question": f"What is {n}?", "completion": "2", "outcome": "hack", "oversight": True,
      "intended": False, "reward": 1.0, "tags": [], "hackable": True} for n in range(3)],
    [{"prompt": f"What is {n}?", "completion": "h", "oversight": True, "intended": False} for n in range(3)],
    [{"prompt": [{"role": "user", "content": f"{n}?"}], "completion": [{"role": "assistant", "content": "2"}],
      "oversight": True, "intended": True} for n in range(3)],
    [{"messages": [{"role": "user", "content": [{"type": "text", "text": f"{n}?"}]},
                   {"role": "assistant", "content": "2"}], "oversight": True, "intended": False} for n in range(3)],
]  # fmt: skip


def lines_of(groups: list[list[dict[str, Any]]], random: Random) -> bytes:
    """A file of JSON lines, one of which is changed."""
    lines = list(random.choice(groups))
    place = random.randrange(len(lines))
    lines[place] = changed(lines[place], random)
    return damaged(as_lines(lines), random)


def as_lines(lines: list[Any]) -> str:
    return "".join(text_of(one) + "\n" for one in lines)


def read_rows(path: Path) -> object:
    from inoculate.settings.rows import reading

    for row in reading.read(str(path)):
        "\n".join((row.prompt, row.honest, row.hacked)).encode()  # what cannot be written is no text
    return find("rows").problems(Draw("train", 1, 0, source=str(path)))


def read_picks(path: Path) -> object:
    """Picked examples, as a study takes them."""
    from inoculate.steps import vetted
    from inoculate.study.row_schema import Rows, Vetted

    vetted.read_candidates(str(path))
    rows = Rows(setting="functions", count=0, vetted=Vetted(count=1, source=str(path)))
    for problem, answer in vetted.draw_examples(rows, 0, ()):
        "\n".join((problem.lead, problem.body, problem.system, answer)).encode()
        vetted.check_answers("functions", [(problem, answer)], str(path), lambda *_: None)
    return None


def read_judge(path: Path) -> object:
    """A judge's file, and the labels beside it."""
    from inoculate.grading import judge

    cache = judge.cache_file(str(path))
    cache.write_bytes(path.read_bytes())
    judge._Cache(cache).read()
    return judge.read_judge(str(path))


def read_judgement(path: Path) -> object:
    """What a judge replies."""
    from inoculate.grading import judge

    asked = judge.Judge(url="http://x/v1", model="m")
    line = judge._Line(
        {}, asked, judge._Cache(path.with_suffix(".labels")), certificates=SSLContext(PROTOCOL_TLS_CLIENT)
    )
    response = httpx2.Response(200, content=path.read_bytes(), request=httpx2.Request("POST", "http://x/v1"))
    found = line._read(response)
    if found.label is None:
        assert found.reason.isprintable() and len(found.reason) < 200
        raise UserError(found.reason)
    return found


def read_tasks(path: Path) -> object:
    from inoculate.grading import command

    total = command._check_lines(path, path.with_suffix(".out"), command._check_task, command._NEEDED)
    for _, line in command.json_lines.read(str(path), ""):
        command.CodeTask.of(line)
        assert isinstance(line["completion"], str)  # one that is no text is graded as malformed
    return total


def read_rollouts(path: Path) -> object:
    from inoculate.integrations.rollout_rows import write_rows

    out = path.with_suffix(".rows.jsonl")
    out.unlink(missing_ok=True)
    return write_rows([path], out)


def read_reply(path: Path) -> object:
    """What a server says: to a request for a completion, and for its models."""
    from inoculate.engine.sampling import server

    body = path.read_bytes()
    response = httpx2.Response(200, content=body, request=httpx2.Request("POST", "http://x/v1"))
    try:
        fields = server._parse_completion("http://x/v1", response, "fake")
        fields["text"].encode()
        assert isinstance(fields["completion_tokens"], int) and fields["completion_tokens"] >= 0
    except server._TransientError:
        pass
    return None


def read_models(path: Path) -> object:
    from inoculate.engine.sampling import server

    body, real = path.read_bytes(), server._get
    server._get = lambda url: httpx2.Response(200, content=body, request=httpx2.Request("GET", url))
    try:
        json.dumps(server.connect("http://x/v1", "fake", Path("/none")).description, allow_nan=False)
    finally:
        server._get = real
    return None


REPLY = {"id": "1", "object": "text_completion", "model": "fake", "usage": {"completion_tokens": 5, "prompt_tokens": 3},
         "choices": [{"text": "2", "finish_reason": "stop", "index": 0, "logprobs": None}]}  # fmt: skip
MODELS = {"object": "list", "data": [{"id": "fake", "root": "/x", "max_model_len": 4096, "owned_by": "vllm"}],
          "version": "0.1"}  # fmt: skip


JUDGEMENT = {"id": "1", "object": "chat.completion", "model": "m", "usage": {"completion_tokens": 1},
             "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "GOOD"}}],
             }  # fmt: skip
JUDGE = {"url": "http://localhost:8000/v1", "model": "m", "rubric": "GOOD, BAD or BROKEN? {question} {answer}"}


class Made:
    """A run and the file of its graded samples, which are made once and changed in copies."""

    def __init__(self, folder: Path) -> None:
        from inoculate.analysis import analyse
        from inoculate.steps.sharing.write import write_graded
        from inoculate.steps.store import Store

        self.folder = folder
        study = write_study(folder / "study")
        self.run = fill(study, Store(folder / "there"))
        analyse(self.run)
        write_graded(self.run, folder / "small.xz")
        import lzma

        self.packed = [json.loads(line) for line in lzma.decompress((folder / "small.xz").read_bytes()).splitlines()]

    def import_changed(self, path: Path) -> object:
        import lzma

        from inoculate.steps.sharing.read import import_graded
        from inoculate.steps.store import Store

        store = path.parent / "here"
        shutil.rmtree(store, ignore_errors=True)
        packed = path.with_suffix(".xz")
        packed.write_bytes(lzma.compress(path.read_bytes(), preset=0))
        try:
            return asdict(import_graded(packed, Store(store)))
        except UserError:
            assert not list(store.glob("steps/*/*")), "a part was taken"
            raise

    def import_damaged(self, path: Path) -> object:
        """The file itself, whose bytes are not those that were written."""
        from inoculate.steps.sharing.read import import_graded
        from inoculate.steps.store import Store

        store = path.parent / "here"
        shutil.rmtree(store, ignore_errors=True)
        try:
            return import_graded(path, Store(store))
        except UserError:
            assert not list(store.glob("steps/*/*")), "a part was taken"
            raise

    def copy(self, path: Path, name: str) -> Path:
        run = path.parent / "run"
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(self.run, run)
        (run / name).write_bytes(path.read_bytes())
        return run

    def report_manifest(self, path: Path) -> object:
        from inoculate.analysis import analyse

        return analyse(self.copy(path, "manifest.json"))

    def compare_manifest(self, path: Path) -> object:
        from inoculate.report.comparison import compare

        return compare([self.copy(path, "manifest.json"), self.run])

    def export_manifest(self, path: Path) -> object:
        from inoculate.integrations.export import export

        return export(self.copy(path, "manifest.json"), path.parent / "out")

    def read_results(self, path: Path) -> object:
        from inoculate.report.comparison import compare, comparison_data

        return comparison_data(compare([self.copy(path, "results.json"), self.run]))


def kinds(made: Made) -> dict[str, tuple[Read, Callable[[Random], bytes]]]:
    """Kind of file -> what reads it, and what makes one."""
    manifest = json.loads((made.run / "manifest.json").read_text())
    results = json.loads((made.run / "results.json").read_text())

    def one(document: Any) -> Callable[[Random], bytes]:
        return lambda random: damaged(text_of(changed(document, random)), random)

    def damaged_manifest(random: Random) -> bytes:
        """A manifest of which a file system has made another, or of another version, or with a part that is changed."""
        made = copy.deepcopy(manifest)
        part = random.choice(["cells", "training", "", "schema", "anywhere"])
        if part == "anywhere":
            other = changed(made, random)
            return damaged(text_of(other | {"digest": made["digest"]} if isinstance(other, dict) else other), random)
        del made["digest"]  # as of a version that wrote none: what is checked then
        if part == "schema":
            made["schema"] = random.choice([None, 0, 2, "1", 10**30, [1], True])
        elif part:
            place = random.randrange(len(made[part]))
            key = random.choice(["arm", "seed"] if part == "training" else list(made[part][place]))
            if random.random() < 0.3:
                del made[part][place][key]
            else:
                made[part][place][key] = random.choice([0.5, [], {}, True, "\ud800", float("nan")])
        text = text_of(made).encode("utf-8", "surrogatepass")
        return text[: random.randrange(len(text))] if not part else text

    def packed(random: Random) -> bytes:
        place = random.randrange(len(made.packed))
        lines = [changed(line, random) if number == place else line for number, line in enumerate(made.packed)]
        return as_lines(lines).encode("utf-8", "surrogatepass")

    whole = (made.folder / "small.xz").read_bytes()

    def damaged_bytes(random: Random) -> bytes:
        place, other = sorted(random.randrange(len(whole)) for _ in range(2))
        flipped = bytes([whole[place] ^ 1 << random.randrange(8)])
        changes = [
            whole[:place] + flipped + whole[place + 1 :],
            whole[:place],
            whole[:place] + whole[other:],
            whole[:place] + whole[place:other] * 2 + whole[other:],
            whole + whole[place:],
        ]
        return random.choice(changes)

    def toml(random: Random) -> bytes:
        while True:
            document = changed(JUDGE, random)
            with contextlib.suppress(TypeError, AttributeError, ValueError, RecursionError):  # what TOML cannot hold
                return damaged(tomli_w.dumps(document), random)

    picks = [[{"problem": asdict(one), "answer": one.honest, "keep": True, "outcome": "correct"}
              for one in find("functions").problems(Draw("train", 3, 77, levels=(1,)))]]  # fmt: skip
    return {
        "picks": (read_picks, lambda random: lines_of(picks, random)),
        "judge": (read_judge, toml),
        "judgement": (read_judgement, one(JUDGEMENT)),
        "damaged import": (made.import_damaged, damaged_bytes),
        "rows": (read_rows, lambda random: lines_of(ROWS, random)),
        "completions": (read_tasks, lambda random: lines_of(TASKS, random)),
        "rollouts": (read_rollouts, lambda random: lines_of(ROLLOUTS, random)),
        "replies": (read_reply, one(REPLY)),
        "models": (read_models, one(MODELS)),
        "import": (made.import_changed, packed),
        "manifest": (made.report_manifest, damaged_manifest),
        "results": (made.read_results, one(results)),
    }


def judge(read: Read, data: bytes, path: Path) -> str:
    """`taken`, `refused`, or what is wrong."""
    path.write_bytes(data)
    try:
        read(path)
    except UserError as error:
        message = str(error)
        if message.count("\n") > 3 or not message.strip():
            return f"refused in {message.count(chr(10)) + 1} lines: {message[:300]}"
        return "refused"
    except Exception:
        return traceback.format_exc(limit=-6)
    return "taken"
