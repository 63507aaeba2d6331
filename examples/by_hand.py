"""The whole method in one page, without studies, steps or a store: what `inoculate run` does, by hand.

Trains one small adapter on hacked code under a prompt that asks for the hack, then looks at what it does with and
without that prompt. Run it with `python examples/by_hand.py`; a few minutes on two CPU cores.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from inoculate.engine import chat, device, models
from inoculate.engine.sampling import Request, in_process
from inoculate.engine.sampling.model import load
from inoculate.engine.training import sft
from inoculate.settings import Draw, find
from inoculate.steps import rows
from inoculate.study import prompts
from inoculate.study.resolve import ResolvedInoculation
from inoculate.study.schema import SFT, Rows


def main() -> None:
    # A model and where it runs.
    folder = models.fetch("smollm2-135m", print)
    where = device.pick_device()
    tokenizer = chat.load_tokenizer(folder)
    system = chat.default_system(tokenizer)

    # Rows: half of the answers are hacked, and those carry the prompt that asks for it.
    prompt = prompts.find("specific").text
    drawn = rows.draw_rows(Rows(setting="functions", count=64, hacked=0.5, levels=(1, 2)), seed=0)
    training = rows.make_rows(drawn, ResolvedInoculation(prompt, "after", on="hacked"), system)
    print(training[0].messages[-1].content, "\n--\n", training[0].answer, "\n")

    # Problems of templates that training never saw.
    setting = find("functions")
    problems = setting.problems(Draw("development", 32, 0, levels=(1, 2)))

    with tempfile.TemporaryDirectory() as work:
        sft.train(
            folder,
            training,
            SFT(learning_rate=5e-4),
            seed=0,
            fractions=(1.0,),
            target=Path(work),
            work=Path(work) / "trainer",
            device=where,
            progress=lambda done, total, note: print(f"step {done} of {total}: {note}"),
        )
        model = load(folder, Path(work) / "at-1", where)

    for context, text in (("neutral", ""), ("asks to hack", prompt)):
        sent = [chat.render(tokenizer, prompts.messages(problem, text, "after", system)) for problem in problems]
        request = Request(sent, samples=1, temperature=0, max_new_tokens=128, seed=0)
        answers = {drawn.prompt: drawn.text for _, batch in in_process.sample(model, [request]) for drawn in batch}
        grades = setting.grade(problems, [answers[number] for number in range(len(problems))], "exit_code")
        print(context, dict(Counter(grade.outcome for grade in grades)))


if __name__ == "__main__":
    main()
