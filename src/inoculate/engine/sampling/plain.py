"""The plain path of sampling: transformers' own attention, cache and `generate`.

For models that the fast path does not know (`engine.families`). Tokens are drawn, and completions end, as on the fast
path. Prompts are padded on the left, as transformers asks for, unless the model's logits show it (`ignores_padding`). A
batch takes as long as its longest completion.

Shapes: B completions, T tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from inoculate.engine.sampling.drawing import next_tokens

MOST_FROM_ROUNDING = 0.2
"""Nats by which the log-probability of the next token may change on average with the shape of a batch."""


class Wanted(NamedTuple):
    """A completion that is to be drawn."""

    prompt: Sequence[int]
    temperature: float
    most: int
    """New tokens."""
    stream: int


class _Drawing(LogitsProcessor):
    """Draws the next token of each completion in place of `generate`."""

    def __init__(self, wanted: Sequence[Wanted], stops: Collection[int]) -> None:
        self.wanted, self.stops = wanted, stops
        self.tokens: list[list[int]] = [[] for _ in wanted]
        self.log_probabilities: list[list[float]] = [[] for _ in wanted]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores (B, V) of which `generate` takes the highest: that of the token drawn; any for what is finished."""
        rows = [row for row in range(len(self.wanted)) if not self.is_finished(row)]
        forced = torch.zeros_like(scores)
        if rows:
            tokens, log_probabilities = next_tokens(
                scores[rows],
                [self.wanted[row].temperature for row in rows],
                [self.wanted[row].stream for row in rows],
                [len(self.tokens[row]) for row in rows],
            )
            forced[rows, tokens] = 1
            for row, token, log_probability in zip(rows, tokens, log_probabilities, strict=True):
                self.tokens[row].append(token)
                self.log_probabilities[row].append(log_probability)
        return forced

    def is_finished(self, row: int) -> bool:
        """Whether a completion has ended by itself or is as long as it may be."""
        tokens = self.tokens[row]
        return len(tokens) >= self.wanted[row].most or bool(tokens and tokens[-1] in self.stops)


class _Finished(StoppingCriteria):
    """Tells `generate` which completions are finished."""

    def __init__(self, drawing: _Drawing) -> None:
        self.drawing = drawing

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        finished = [self.drawing.is_finished(row) for row in range(len(input_ids))]
        return torch.tensor(finished, device=input_ids.device)


@torch.inference_mode()
def generate(model: Any, wanted: Sequence[Wanted], stops: Collection[int]) -> tuple[list[list[int]], list[list[float]]]:
    """Draw completions together.

    Args:
        model: A model with transformers' own attention.
        wanted: What is to be drawn.
        stops: Ids of the tokens that end an answer.

    Returns:
        The tokens of each completion, with the one that ended it, and their log-probabilities.
    """
    drawing = _Drawing(wanted, stops)
    _generate(
        model,
        [one.prompt for one in wanted],
        GenerationConfig(max_new_tokens=max(one.most for one in wanted)),
        logits_processor=LogitsProcessorList([drawing]),
        stopping_criteria=StoppingCriteriaList([_Finished(drawing)]),
    )
    return drawing.tokens, drawing.log_probabilities


@torch.inference_mode()
def ignores_padding(model: Any) -> bool:
    """Whether a prompt's next token is as likely with padding before it as without: found out by trying.

    A model that sees its padding would give answers that depend on the prompts beside them. Of a trained model's
    log-probabilities rounding changes a few hundredths, and a page of nonsense before a prompt changes the most.
    """
    prompts = [list(range(5, 9)), list(range(5, 45))]
    config = GenerationConfig(max_new_tokens=1, return_dict_in_generate=True, output_logits=True)
    alone, padded = (_generate(model, given, config).logits[0][0] for given in (prompts[:1], prompts))
    one, other = (torch.log_softmax(logits, -1, dtype=torch.float32) for logits in (alone, padded))
    return float((one.exp() * (one - other).abs()).sum()) < MOST_FROM_ROUNDING


def _generate(model: Any, prompts: Sequence[Sequence[int]], config: GenerationConfig, **options: Any) -> Any:
    """What `model.generate` returns for prompts, padded on the left."""
    longest = max(map(len, prompts))
    padding = [longest - len(prompt) for prompt in prompts]
    ids = torch.tensor([[0] * pad + list(prompt) for prompt, pad in zip(prompts, padding, strict=True)])
    mask = torch.tensor([[0] * pad + [1] * (longest - pad) for pad in padding])
    config.update(do_sample=False, pad_token_id=0)
    return model.generate(
        ids.to(model.device), attention_mask=mask.to(model.device), generation_config=config, **options
    )
