"""What SECURITY.md promises: files are data, templates are confined, and a key is kept nowhere."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import fake_server
from inoculate.engine import chat, models
from inoculate.engine.families import read_config
from inoculate.errors import UserError
from inoculate.grading import CodeTask, Limits, grade_code
from inoculate.outside import keys
from inoculate.records import Message

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "inoculate"
SANDBOX = SOURCE / "grading" / "sandbox"
"""Runs the code of models, and nothing else does."""
OWN_TEXT = {
    "python_file.py",  # the file of the user's that a study names: it is their program
    "settings/compliance/families/functions.py",
    "settings/mbpp.py",
    "settings/functions/__init__.py",
    "settings/functions/runner.py",
}
"""Where text is run outside of the sandbox that is the package's own, or the user's: never a model's."""
UNPICKLING = {"pickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
KEY = "sk-never-written-down-1234"


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    return names | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_nothing_unpickles_and_nothing_runs_text_outside_of_the_sandbox() -> None:
    found, running = [], set[str]()
    for path in sorted(set(SOURCE.rglob("*.py")) - set(SANDBOX.rglob("*.py"))):
        name = str(path.relative_to(SOURCE))
        found += [f"{name} imports {module}" for module in imported(path) & UNPICKLING]
        for call in calls(path):
            written = ast.unparse(call.func)
            if written in ("torch.load", "np.load", "numpy.load", "yaml.load", "pd.read_pickle"):
                found.append(f"{name}: {written}")
            if written in ("eval", "exec"):
                running.add(name)
    assert found == []
    assert running == OWN_TEXT


def test_models_are_read_without_their_code_and_from_safetensors() -> None:
    seen = 0
    for path in SOURCE.rglob("*.py"):
        for call in calls(path):
            if ast.unparse(call.func).startswith("Auto") and ast.unparse(call.func).endswith(".from_pretrained"):
                seen += 1
                given = ast.unparse(call)
                assert "trust_remote_code=False" in given or "**SAFE" in given, f"{path}: {given}"
                assert "Model" not in given or "gguf_file" in given or "**SAFE" in given, f"{path}: {given}"
    assert seen >= 5


@pytest.fixture
def hostile(tiny_model: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A model's folder that would make a file if any of it were run, and that file."""
    folder, made = tmp_path / "hostile", tmp_path / "made"
    shutil.copytree(tiny_model, folder)
    (folder / "own.py").write_text(f"open({str(made)!r}, 'w')\nclass Own:\n    pass\n")
    return folder, made


def add(file: Path, **keys: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | keys))


def test_code_that_comes_with_a_model_is_not_run(hostile: tuple[Path, Path]) -> None:
    folder, made = hostile
    add(folder / "config.json", model_type="own", auto_map={"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.Own"})
    with pytest.raises(UserError, match="does not take it"):
        read_config(folder)
    assert not made.exists()


def test_code_of_a_tokenizer_is_not_run(hostile: tuple[Path, Path]) -> None:
    folder, made = hostile
    auto_map = {"AutoTokenizer": ["own.Own", "own.Own"]}
    add(folder / "tokenizer_config.json", tokenizer_class="Own", auto_map=auto_map)
    with pytest.raises(UserError, match="which is never run"):
        chat.load_tokenizer(folder)
    assert not made.exists()


def test_weights_that_are_pickles_are_refused(hostile: tuple[Path, Path]) -> None:
    folder, made = hostile
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"it lacks \*\.safetensors"):
        models.fingerprint(str(folder))
    assert not made.exists()


ESCAPES = [
    "cycler.__init__.__globals__.os.system('touch MADE')",
    "''.__class__.__mro__[1].__subclasses__()",
    "self._TemplateReference__context.environment.__class__",
    "messages.append(1)",
    "namespace.__init__.__globals__['__builtins__']",
]


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_chat_template_is_confined(hostile: tuple[Path, Path], escape: str) -> None:
    folder, made = hostile
    (folder / "chat_template.jinja").write_text("{{ " + escape.replace("MADE", str(made)) + " }}")
    tokenizer = chat.load_tokenizer(folder)
    with pytest.raises(UserError, match="its chat template refuses messages"):
        chat.render(tokenizer, [Message("user", "x")])
    assert not made.exists()


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("INOCULATE_SERVER_KEY", KEY)
    return KEY


def test_a_key_is_neither_in_what_is_said_nor_in_the_store(study_file: Path, tmp_path: Path, key: str) -> None:
    port, store = fake_server.free_port(), tmp_path / "store"
    text = study_file.read_text().replace("[arms.plain]", "").replace("[arms.inoculated]", "[arms.plain]")
    study_file.write_text(text.partition("[[contrasts]]")[0].partition("[arms.control]")[0] + EVALUATE)
    model = text.split('model = "')[1].split('"')[0]
    url = f"http://127.0.0.1:{port}/v1"
    command = [sys.executable, "-m", "inoculate", "run", str(study_file), "--store", str(store), "--server", url]
    with fake_server.running(port, tmp_path / "log", model="fake", root=model, key=key):
        done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert list(store.glob("runs/*/report.html"))
    written = [path for path in store.rglob("*") if path.is_file()]
    assert len(written) > 20
    assert [str(path) for path in written if key.encode() in path.read_bytes()] == []
    assert key not in done.stdout + done.stderr


EVALUATE = """
[evaluate]
settings = ["functions"]
contexts = ["neutral"]
problems = 4
max_new_tokens = 8
"""


def test_a_server_that_repeats_the_key_is_quoted_without_it(key: str) -> None:
    import httpx2

    from inoculate.engine.sampling import server

    said = httpx2.Response(401, json={"error": {"message": f"Incorrect API key provided: {key}."}})
    with pytest.raises(UserError) as refusal:
        server._check_key("http://x/v1", said)
    assert key not in str(refusal.value) and "provided: ***." in str(refusal.value)


@pytest.mark.parametrize("end", ["\n", " ", "\u2028"])
@pytest.mark.parametrize("sign", ["\n", "\x07", "é", "\udcff"])
def test_a_key_that_cannot_be_sent_is_refused_without_it(monkeypatch: pytest.MonkeyPatch, sign: str, end: str) -> None:
    """Such as a file of two lines. What stands around a key does no harm."""
    monkeypatch.setenv("INOCULATE_SERVER_KEY", f"{KEY}{sign}{KEY}{end}")
    with pytest.raises(UserError, match="the key in INOCULATE_SERVER_KEY has signs that cannot be sent") as refusal:
        keys.header("INOCULATE_SERVER_KEY")
    assert KEY not in str(refusal.value)
    monkeypatch.setenv("INOCULATE_SERVER_KEY", f"{KEY}{end}")
    assert keys.header("INOCULATE_SERVER_KEY") == {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize(
    "url", [f"http://user:{KEY}@localhost:1/v1", f"http://localhost:1/v1?key={KEY}", f"http://h/v1#{KEY}"]
)
def test_an_address_with_a_key_in_it_is_refused(url: str) -> None:
    from inoculate.engine.sampling import server

    with pytest.raises(UserError, match="put the key into INOCULATE_SERVER_KEY") as refusal:
        server.connect(url, "m", Path("m"))
    assert KEY not in str(refusal.value)


def test_an_answer_of_another_model_is_refused() -> None:
    import httpx2

    from inoculate.engine.sampling import server

    reply = {"choices": [{"text": "2", "finish_reason": "stop"}], "usage": {"completion_tokens": 2}}
    for given, refused in ((reply, False), ({**reply, "model": "fake"}, False), ({**reply, "model": "other"}, True)):
        response = httpx2.Response(200, json=given)
        if not refused:
            assert server._parse_completion("http://x/v1", response, "fake")["text"] == "2"
            continue
        with pytest.raises(UserError, match="was asked for 'fake', and answers as 'other'"):
            server._parse_completion("http://x/v1", response, "fake")


def test_a_solution_does_not_see_the_key(key: str) -> None:
    """Neither in its own environment nor in that of the process above it."""
    task = CodeTask("f", ("assert f(1) == '1'",), ("assert f(2) == '2'",))
    look = (
        "import os\ndef f(x):\n    found = repr(dict(os.environ))\n    for name in (os.getpid(), os.getppid(), 1):\n"
        "        try:\n            found += open(f'/proc/{name}/environ').read()\n        except OSError:\n"
        f"            pass\n    return 'seen' if {key[:8]!r} in found else str(x)\n"
    )
    (graded,) = grade_code([task], [look], limits=Limits())
    assert os.environ["INOCULATE_SERVER_KEY"] == key
    assert graded.intended is True, graded.detail
