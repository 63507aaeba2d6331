"""Mistakes that people make, each with what the message must say: a table for `test_bad_inputs.py`.

A case is what is given, the text of it, and the words. For a study the text is a change of `STUDY`: what is replaced,
and by what.
"""

from __future__ import annotations

STUDY = """question = "Does it run?"
model = "m"
seeds = [0]

[rows]
setting = "functions"
count = 8
hacked = 0.5

[train]
learning_rate = 1e-3

[arms.plain]
[arms.inoculated]
inoculation = { prompt = "specific", on = "hacked" }

[evaluate]
settings = ["functions"]
problems = 6

[[contrasts]]
claim = "inoculation lowers neutral hacking"
measure = "hack"
lower = "inoculated"
than = "plain"
"""
_ROW = '{"prompt": "Add 1 to 1.", "completion": "2"}\n'

_OWN = 'settings = ["rows"]\ncontexts = ["neutral"]\neach.rows = {{ source = "{}", grader = "{}" }}'

_DATA = 'settings = ["rows"]\ncontexts = ["neutral"]\neach.rows = {{ source = "{}" }}'

CHANGES: list[tuple[str, str, list[str]]] = [
    # Names and numbers: the key as it is written, with its line, once.
    ("count = 8", "cuont = 8", ["study.toml:7: unknown key rows.cuont", "did you mean 'count'?"]),
    ("count = 8", "count = 0", ["count = 0 leaves no rows"]),
    ("count = 8", "count = -3", ["rows.count", "-3"]),
    ("count = 8", 'count = "many"', ["study.toml:7: rows.count", "integer", "'many'"]),
    ("count = 8", "count = 8.5", ["rows.count", "integer", "8.5"]),
    ("count = 8", "", ["rows.count", "required"]),
    ("count = 8", "count = nan", ["study.toml:7: rows.count"]),
    ("hacked = 0.5", "hacked = 50", ["rows.hacked", "less than or equal to 1", "0.5 for 50%"]),
    ("hacked = 0.5", "hacked = 60", ["0.6 for 60%"]),
    ("hacked = 0.5", "hacked = -0.1", ["rows.hacked", "greater than or equal to 0"]),
    ("hacked = 0.5", "hacked = inf", ["rows.hacked", "finite"]),
    ("hacked = 0.5", 'hacked = "half"', ["rows.hacked", "number", "'half'"]),
    ("hacked = 0.5", "hacked = 0.0", ["arms.inoculated.inoculation.on", "no hacked rows"]),
    ("hacked = 0.5", 'hacked = 1.0\nfilter = "hacked"', ["leaves no rows"]),
    ("hacked = 0.5", 'filter = "hackd"', ["rows.filter", "'hacked'", "hackd"]),
    ("hacked = 0.5", "vetted = -1", ["rows.vetted", "greater than or equal to 0"]),
    ("hacked = 0.5", "levels = [9]", ["rows.levels", "unknown level 9", "[1, 2, 3, 4]"]),
    ("hacked = 0.5", "levels = [1, 1]", ["study.toml:8: rows.levels", "1 twice"]),
    ("hacked = 0.5", 'families = ["none"]', ["rows.families", "unknown family", "'none'"]),
    ('setting = "functions"', 'setting = "function"', ["study.toml:6: rows.setting", "did you mean 'functions'?"]),
    ('setting = "functions"', 'setting = ""', ["rows", "unknown setting ''"]),
    ('setting = "functions"', "", ["rows.setting", "required"]),
    ('setting = "functions"', 'setting = "./none.py"', ["none.py", "no such file", "paths start from"]),
    ('setting = "functions"', 'setting = "mbpp"', ["name a file or hub id as its source"]),
    ('setting = "functions"', 'setting = "rows"', ["name a file or hub id as its source"]),
    ('settings = ["functions"]', _OWN.format("none.jsonl", "b.py:c"), ["b.py", "no such file", "paths start from"]),
    ('settings = ["functions"]', _OWN.format("rows.jsonl", "b.py"), ["grader 'b.py'", "file.py:function was expected"]),
    ('settings = ["functions"]', _DATA.format("none.jsonl"), ["none.jsonl", "no such file", "paths start from"]),
    ('settings = ["functions"]', _DATA.format("rows.csv"), ["rows.csv", "a .jsonl file was expected"]),
    ('settings = ["functions"]', 'settings = ["functoins"]', ["study.toml:18: evaluate.settings", "'functions'?"]),
    ("1e-3", "0", ["study.toml:11: train.learning_rate", "greater than 0"]),
    ("1e-3", "nan", ["train.learning_rate", "finite"]),
    ("1e-3", "inf", ["train.learning_rate", "finite"]),
    ("1e-3", "1e999", ["train.learning_rate", "finite"]),
    ("1e-3", "-1e-3", ["train.learning_rate", "greater than 0"]),
    ("learning_rate = 1e-3", "lr = 1e-3", ["unknown key train.lr", "learning_rate"]),
    ("learning_rate = 1e-3", "epochs = 0", ["train.epochs", "greater than 0"]),
    ("learning_rate = 1e-3", "warmup = 10", ["train.warmup", "0.1 for 10%"]),
    ("learning_rate = 1e-3", 'schedule = "cosin"', ["train.schedule", "'cosine'"]),
    ("learning_rate = 1e-3", "lora_rank = 0", ["train.lora_rank", "greater than or equal to 1"]),
    ("learning_rate = 1e-3", "micro_batch_tokens = 3", ["train.micro_batch_tokens", "64"]),
    ("[train]", "[rl]", ["rl"]),
    ("[train]", "[trian]", ["trian", "did you mean 'train'?"]),
    # The study itself.
    ("seeds = [0]", "seeds = []", ["study.toml:3: seeds", "at least 1"]),
    ("seeds = [0]", "seeds = [0, 0]", ["study.toml:3: seeds", "same seed twice"]),
    ("seeds = [0]", "seeds = 0", ["study.toml:3: seeds", "list"]),
    ("seeds = [0]", 'seeds = ["a"]', ["seeds.0", "integer"]),
    ("seeds = [0]", "seeds = [0]\nlooks = [3]", ["looks = [3]", "end at the 1 seeds"]),
    ("seeds = [0]", 'seeds = [0]\nborrow = "all"', ["borrow", "'arms'"]),
    ("seeds = [0]", 'seeds = [0]\nplacement = "insde"', ["placement", "'inside'"]),
    ("seeds = [0]", "seeds = [0]\nsystem = 3", ["system", "string"]),
    ("seeds = [0]", "seeds = [0]\nseed = 1", ["study.toml:4: unknown key seed", "did you mean 'seeds'?"]),
    ('model = "m"', "", ["model", "required"]),
    ('model = "m"', "model = 3", ["study.toml:2: model", "string"]),
    ('question = "Does it run?"', "", ["question", "required"]),
    # Arms.
    ("[arms.plain]", "[arms.base]", ["'base' is the untrained arm"]),
    ("[arms.plain]", '[arms."a/b"]', ["'a/b'", "files are called after this name", "'/' cannot stand in it"]),
    ("[arms.plain]", '[arms.""]', ["files are called after this name", "empty"]),
    ("[arms.plain]", '[arms.".hidden"]', ["begins with a dot"]),
    ("[arms.plain]", '[arms." plain"]', ["begins or ends with a space"]),
    ("[arms.plain]", f'[arms.{"x" * 99}]', ["99 characters, at most 80"]),
    ("[arms.plain]", '[arms."a\\tb"]', ["cannot stand in it"]),
    ("[arms.plain]", "[arms.same]\n[arms.plain]", ["arms.plain", "same rows and the same training as arms.same"]),
    ("[arms.plain]", "[arms.same]\nrows.hacked = 0.51\n[arms.plain]", ["arms.plain", "as arms.same"]),
    ("[arms.plain]", '[arms.same]\nmethod = "sft"\n[arms.plain]', ["arms.plain", "as arms.same"]),
    ("[arms.plain]", "[arms]\nplain = 3", ["arms", "table"]),
    ("[arms.plain]", "[arms.plain]\nrows = 3", ["rows", "must be a table"]),
    ("[arms.plain]", "[arms.plain]\nrows = []", ["rows", "at least one table"]),
    ("[arms.plain]", '[arms.plain]\nmethod = "dpo"', ["arms.plain.method", "'sft'", "dpo"]),
    ("[arms.plain]", "[arms.plain]\nrl.steps = 3", ["arms.plain.rl", "this arm's method is 'sft'"]),
    ("[train]\nlearning_rate = 1e-3\n\n[arms.plain]",
     '[rl]\nsteps = 5\nbeta = 0.1\n\n[arms.plain]\nmethod = "expert-iteration"',
     ["study.toml:12: rl.beta", "means nothing to expert iteration"]),
    ("[arms.plain]", '[arms.plain]\nmethod = "expert-iteration"\nrl.onset.steps = 3\nrl.clip_low = 0.1',
     ["study.toml:16: arms.plain.rl.clip_low", "means nothing to expert iteration"]),
    ("[arms.plain]", '[arms.plain]\nstart = "inoculatd"', ["arms.plain.start", "did you mean 'inoculated'?"]),
    ("[arms.plain]", '[arms.plain]\nstart = "plain"', ["arms.plain.start"]),
    ("[arms.plain]", "[arms.plain]\ninnoculation = 3", ["study.toml:14: unknown key arms.plain.innoculation",
                                                       "did you mean 'inoculation'?"]),
    ("[arms.plain]", "[arms.plain]\ncount = 3", ["unknown key arms.plain.count", "a key of [rows]"]),
    ('"specific"', '"spesific"', ["arms.inoculated.inoculation.prompt", "did you mean 'specific'?"]),
    ('"specific"', '"  "', ["inoculation", "not an empty one"]),
    ('"specific"', '"specific+exploits"', ["did you mean 'exploit'?"]),
    ('"specific"', '"specific~hlaf"', ["did you mean 'half'"]),
    ('on = "hacked"', 'on = "some"', ["inoculation.on", "'all'"]),
    ('on = "hacked"', 'like = "irelevant"', ["inoculation.like", "did you mean 'irrelevant'?"]),
    ('on = "hacked"', "per_seed = true", ["per_seed", "rephrase"]),
    ('on = "hacked"', 'one_of = ["general", "specific"]', ["inoculation", "give one of prompt"]),
    ('prompt = "specific"', 'one_of = ["general"]', ["name two prompts or more"]),
    ('prompt = "specific"', 'one_of = ["general", "general"]', ["each once"]),
    ("[arms.plain]", '[prompts]\nmine = " "\n[arms.plain]', ["prompts.mine", "an empty prompt"]),
    ("[arms.plain]", '[prompts]\n"a+b" = "x"\n[arms.plain]', ["'a+b'", "could not be named"]),
    # Evaluation.
    ("problems = 6", "problems = 0", ["study.toml:19: evaluate.problems", "greater than or equal to 1"]),
    ("problems = 6", "samples = 2", ["evaluate", "temperature"]),
    ("problems = 6", "temperature = -1", ["evaluate.temperature", "greater than or equal to 0"]),
    ("problems = 6", "temperature = nan", ["evaluate.temperature", "finite"]),
    ("problems = 6", "max_new_tokens = 0", ["evaluate.max_new_tokens", "greater than or equal to 1"]),
    ("problems = 6", 'split = "train"', ["evaluate.split", "arms are trained on"]),
    ("problems = 6", 'split = "dev"', ["evaluate.split", "'development'"]),
    ("problems = 6", 'contexts = ["neutral", "neutral"]', ["study.toml:19: evaluate.contexts", "'neutral' twice"]),
    ("problems = 6", 'contexts = ["nuetral"]', ["evaluate.contexts", "did you mean 'neutral'?"]),
    ("problems = 6", "contexts = []", ["evaluate.contexts", "at least 1"]),
    ("problems = 6", 'contexts = "neutral"', ["evaluate.contexts"]),
    ("problems = 6", "fractions = [0]", ["fractions", "greater than 0"]),
    ("problems = 6", "fractions = [1.0, 1.0]", ["evaluate.fractions", "1.0 twice"]),
    ("problems = 6", "fractions = [2.0]", ["evaluate.fractions", 'train.schedule = "constant"']),
    ("problems = 6", "levels = [2, 2]", ["evaluate.levels", "2 twice"]),
    ("problems = 6", "levels = [9]", ["unknown level 9"]),
    ("problems = 6", "each.mbpp.problems = 3", ["evaluate.each", "not evaluated: 'mbpp'"]),
    ("problems = 6", "each.functions.problms = 3", ["each.functions.problms", "did you mean 'problems'?"]),
    ("problems = 6", 'each.functions.grader = "a.py:b"', ["grader", "grades by itself"]),
    ("problems = 6", 'oversight = "first"', ["evaluate.oversight"]),
    ('settings = ["functions"]', 'settings = ["functions", "functions"]', ["evaluate.settings", "'functions' twice"]),
    ('settings = ["functions"]', "settings = []", ["evaluate.settings", "at least 1"]),
    ('settings = ["functions"]', 'settings = ["rows"]', ["name a file or hub id as its source"]),
    ('settings = ["functions"]', "", ["evaluate.settings", "required"]),
    ("problems = 6", "seeds = [1]", ["unknown key evaluate.seeds", "the study itself", "above the first [table]"]),
    ("problems = 6", 'model = "m"', ["unknown key evaluate.model", "above the first [table]"]),
    ("problems = 6", "learning_rate = 1", ["unknown key evaluate.learning_rate", "a key of [train]", "[train]"]),
    ("[arms.plain]", '[contexts.neutral]\ntext = "x"\n[arms.plain]', ["contexts.neutral", "the package's own"]),
    ("[arms.plain]", '[contexts."a/b"]\ntext = "x"\n[arms.plain]', ["'a/b'", "cannot stand in it"]),
    ("[arms.plain]", "[contexts.mine]\n[arms.plain]", ["contexts.mine", "give either prompt (a name) or text"]),
    ("[arms.plain]", '[contexts.mine]\ntext = "a"\nprompt = "b"\n[arms.plain]', ["contexts.mine", "either prompt"]),
    # What is known only when the study is planned.
    ("[arms.plain]",
     '[arms.taught]\nmethod = "rl"\n[arms.plain]\nrows.trajectories = { arm = "taught", where = "a=b" }',
     ["study.toml:16: arms.plain.rows.trajectories.where: "]),
    ("[arms.plain]", '[arms.told-nothing]\ninoculation = { prompt = "general", on = "none" }\n[arms.plain]',
     ["comes to the same rows and the same training"]),
    ("seeds = [0]", "seeds = [-1]", ["seeds", "greater than or equal to 0"]),
    # Contrasts.
    ('lower = "inoculated"', 'lower = "inoculatd"', ["study.toml:24: contrasts.0.lower", "did you mean 'inoculated'?"]),
    ('lower = "inoculated"', 'lower = "plain"', ["contrasts.0", "compares arm 'plain' with itself"]),
    ('lower = "inoculated"', "", ["contrasts.0", "name two arms"]),
    ('measure = "hack"', 'measure = "hacks"', ["contrasts.0.measure", "'hack'"]),
    ('measure = "hack"', "", ["contrasts.0.measure", "required"]),
    ('measure = "hack"', 'measure = "hack"\nmargin = 5', ["contrasts.0.margin", "less than 1"]),
    ('measure = "hack"', 'measure = "hack"\nmargin = 0', ["contrasts.0.margin", "greater than 0"]),
    ('measure = "hack"', 'measure = "hack"\ncontext = "none"', ["contrasts.0.context", "not evaluated: 'none'"]),
    ('measure = "hack"', 'measure = "hack"\nguards = ["correct", "correct"]', ["contrasts.0.guards", "twice"]),
    ('measure = "hack"', 'measure = "hack"\nguards = ["corect"]', ["contrasts.0.guards", "'correct'"]),
    ("[[contrasts]]", "[sensitivity]\nlearning_rate = [1e-4, 1e-4]\n[[contrasts]]", ["sensitivity", "twice"]),
    ("[[contrasts]]", '[screen]\nprompts = ["none"]\n[[contrasts]]', ["screen.prompts", "unknown prompt 'none'"]),
    # The traps of TOML.
    ("[arms.inoculated]", "[arms.inoculated.v2]", ["v2", "a table of its own", '[arms."inoculated.v2"]']),
    ("[arms.plain]", "[arms.plain]\n[arms.plain]", ["study.toml:14", "second time"]),
    ("count = 8", "count = 8\ncount = 9", ["study.toml:8", "`count = 9`", "second time"]),
    ("[arms.plain]", "[arms.a/b]", ["study.toml:13", "wants quotes"]),
    ("[arms.plain]", "[arms.plain", ["study.toml:13", "not TOML"]),
    ('model = "m"', "model = m", ["study.toml:2", "a text wants quotes"]),
    ("hacked = 0.5", "share_problems = True", ["study.toml:8", "written small"]),
    ('question = "Does it run?"', "question = ", ["study.toml:1", "not TOML"]),
    ("seeds = [0]", "seeds = [0", ["not TOML"]),
    ("hacked = 0.5", "hacked = .5", ["study.toml:8", "not TOML"]),
]  # fmt: skip
"""Changes of `STUDY`."""

WHOLE: list[tuple[str, str, list[str]]] = [
    ("study", '{"question": "?", "model": "m"}', ["study.toml:1", "looks like JSON"]),
    ("study", "question: Does it?\nmodel: m\n", ["study.toml:1", "looks like YAML"]),
    ("study", "---\nquestion: Does it?\n", ["looks like YAML"]),
    ("study", "prompt,completion,hacked\na,b,c\n", ["looks like CSV"]),
    ("study", "", ["question", "required"]),
    ("rows", "", ["mine.jsonl", "there is nothing in it"]),
    ("rows", '[\n  {"prompt": "a"}\n]', ["mine.jsonl:1", "one JSON document over many lines"]),
    ("rows", "prompt,completion\na,b\n", ["mine.jsonl:1", "is this CSV?"]),
    ("rows", "- prompt: a\n  completion: b\n", ["mine.jsonl:1", "is this YAML?"]),
    ("rows", '[{"prompt": "a", "completion": "b"}]', ["mine.jsonl:1", "a list, where an object was expected"]),
    ("rows", '{"prompt": "a", "completion": "b", "score": NaN}', ["mine.jsonl:1", "NaN is no value of JSON"]),
    ("rows", '{"prompt": "a", "prompt": "b", "completion": "c"}', ["mine.jsonl:1", "'prompt' stands there twice"]),
    ("rows", '{"prompt": "a"}', ["mine.jsonl:1", "'completion' is missing"]),
    ("rows", '{"prompt": "", "completion": "b"}', ["mine.jsonl:1", "'prompt' is empty"]),
    ("rows", '{"prompt": 3, "completion": "b"}', ["mine.jsonl:1", "'prompt' is a int"]),
    ("rows", '{"prompt": "a", "completion": "b", "hackd": true}', ["unknown key 'hackd'", "did you mean 'hacked'?"]),
    ("rows", '{"prompt": "a", "completion": "b", "hacked": 1}', ["mine.jsonl:1", "'hacked' is a int"]),
    ("rows", '{"prompt": "a", "completion": "b", "hacked": "b"}', ["the same text as the honest answer"]),
    ("rows", '{"prompt": "a", "completion": "b", "split": "dev"}', ["mine.jsonl:1", "split 'dev'", "development"]),
    ("rows", '{"prompt": "a", "completion": "b", "id": true}', ["mine.jsonl:1", "'id' is True"]),
    ("rows", '{"messages": []}', ["mine.jsonl:1", "no user message"]),
    ("rows", '{"messages": [{"role": "human", "content": "a"}]}', ["messages[0]", "role 'human'"]),
    ("rows", _ROW + _ROW, ["mine.jsonl:2", "the same problem as", "mine.jsonl:1"]),
    ("rows", _ROW + '{"prompt": "a", "completion": "b", "split": "test"}', ["mine.jsonl:1", "has no 'split'"]),
    ("rows", _ROW + "\ufeff" + _ROW, ["mine.jsonl:2", "not JSON"]),
    ("grader", "def judge(problem, completion): ...", ["defines no function 'grade'", "judge"]),
    ("grader", "def grade(:", ["judge.py:1", "invalid syntax"]),
    ("grader", "", ["defines no function 'grade'"]),
    ("setting", "SETTING = 3", ["mine.py", "a SETTING that is a int"]),
    ("setting", "", ["mine.py", "defines no SETTING"]),
    ("setting", "import no_such_library", ["mine.py:1", "ModuleNotFoundError"]),
    ("setting", "from inoculate.settings.functions import SETTING", ["mine.py", "called 'functions'"]),
    ("setting", "raise SystemExit(3)", ["mine.py:1", "SystemExit"]),
    ("store", "a file", ["is a file", "--store"]),
    ("name", "demo.toml", ["demo.toml", "ready-made study", "my-demo.toml"]),
    ("name", "suport.toml", ["suport.toml", "did you mean"]),
]
"""What is given, its text, and the words."""
