"""Sampling with transformers in this process.

What all prompts begin with (system prompt, opening of the task) passes through the model once; a prompt's samples
share one pass over it. Prompts are read a few of like length at a time. A row that has finished leaves, and the next
prompts take its place. All this happens within a chunk; chunks are fixed by the prompts alone, so that an interrupted
run goes on with the chunks that are missing and gives the same completions.

Shapes: B rows of a pass, T tokens, V vocabulary.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch.nn.functional import pad
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

from inoculate.engine.device import Device, rows_at_once
from inoculate.engine.kernels import attention
from inoculate.engine.kernels.packed import pack
from inoculate.engine.sampling import Drawn
from inoculate.engine.sampling.slots import ATTENTION, Behind, Slots, register
from inoculate.errors import UserError

CHUNK_ROWS = 256
"""Completions of a chunk: what an interrupted run may have to write again, and the fewer chunks the fewer steps for the
few rows that are long."""
BATCH_TOKENS = 65_536
"""Tokens of all rows that are written at once, so that memory for keys and values is bounded. A step has a cost of its
own whatever its rows: the more the better (135M model on two cores: 34 ms for one row, 113 for 64, 186 for 128)."""
PART = 128
"""Words of the vocabulary that are added up as one before one of them is drawn."""
READ_PROMPTS = 8
"""Prompts that are read at once: few, so that they are of like length and little is padding."""


@dataclass(frozen=True)
class Sampler:
    """A model, with its adapter merged in, ready to write."""

    model: Any
    tokenizer: PreTrainedTokenizerBase
    device: Device
    stops: tuple[int, ...]
    """Tokens that end an answer."""


def load(model: Path, adapter: Path | None, device: Device) -> Sampler:
    """Load a model and merge an adapter into its weights.

    Args:
        model: A folder of base weights.
        adapter: A PEFT folder; None for the untrained model.
        device: Where and in what precision.

    Raises:
        UserError: The model has layers that are not known here.
    """
    register()
    base: Any = AutoModelForCausalLM.from_pretrained(model, dtype=device.dtype, attn_implementation=ATTENTION)
    attention.check(base.config)
    if adapter is not None:
        base = PeftModel.from_pretrained(base, adapter).merge_and_unload()
    tokenizer = AutoTokenizer.from_pretrained(model)
    ends = base.generation_config.eos_token_id
    stops = {tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])} - {None}
    base = base.to(device.device).eval()
    pack(base, device)
    return Sampler(base, tokenizer, device, tuple(sorted(stops)))


def chunks(lengths: Sequence[int], samples: int) -> list[list[int]]:
    """Indices of prompts, ordered by length, in chunks of at most `CHUNK_ROWS` completions (or one prompt)."""
    order = sorted(range(len(lengths)), key=lambda index: (lengths[index], index))
    return _parts(order, CHUNK_ROWS // samples)


def _parts(whole: list[int], size: int) -> list[list[int]]:
    size = max(1, size)
    return [whole[start : start + size] for start in range(0, len(whole), size)]


def sample(
    sampler: Sampler,
    prompts: Sequence[str],
    *,
    samples: int,
    temperature: float,
    max_new_tokens: int,
    seed: int,
    skip: int = 0,
    names: Sequence[str] = (),
    ended: Callable[[int], None] = lambda count: None,
) -> Iterator[list[Drawn]]:
    """Draw completions, a chunk at a time.

    Args:
        sampler: From `load`.
        prompts: Rendered prompts.
        samples: Completions per prompt.
        temperature: 0 for greedy.
        max_new_tokens: Completions are cut there, and say so.
        seed: Of sampling; each chunk has a stream of its own.
        skip: How many chunks were done before (their completions are not made again).
        names: What the prompts are called in a refusal.
        ended: Told, step by step, how many completions of a chunk have ended.

    Raises:
        UserError: A prompt and its completion would be longer than the model's context.
    """
    tokens = [sampler.tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
    longest = int(sampler.model.config.max_position_embeddings)
    for index, ids in enumerate(tokens):
        if len(ids) + max_new_tokens > longest:
            name = names[index] if names else f"prompt {index}"
            raise UserError(
                f"{name} has {len(ids)} tokens; with {max_new_tokens} new ones it exceeds the model's context of "
                f"{longest}: lower evaluate.max_new_tokens or choose shorter problems"
            )
    common = shared(tokens)
    prefix = begin(sampler, tokens[0][:common])
    rests = [ids[common:] for ids in tokens]
    for number, members in enumerate(chunks([len(ids) for ids in tokens], samples)):
        if number < skip:
            continue
        generator = torch.Generator(device=sampler.device.device).manual_seed(seed * 1_000_003 + number)
        start = time.perf_counter()
        rest = [rests[i] for i in members]
        written = _write(sampler, prefix, common, rest, samples, temperature, max_new_tokens, generator, ended)
        each = (time.perf_counter() - start) / len(written)
        yield [
            Drawn(
                prompt=members[row // samples],
                index=row % samples,
                text=str(sampler.tokenizer.decode(ids, skip_special_tokens=True)),
                prompt_tokens=len(tokens[members[row // samples]]),
                completion_tokens=len(ids),
                finished=finished,
                seconds=each,
            )
            for row, (ids, finished) in enumerate(written)
        ]


def shared(tokens: Sequence[list[int]]) -> int:
    """How many tokens all prompts begin with; every prompt keeps at least one of its own."""
    first, last = min(tokens, default=[]), max(tokens, default=[])
    length = 0
    while length < min(len(first), len(last)) - 1 and first[length] == last[length]:
        length += 1
    return min([length, *(len(ids) - 1 for ids in tokens)])


def begin(sampler: Sampler, ids: list[int]) -> Slots:
    """One slot that has these tokens; an empty one where there are none."""
    slots = Slots(1)
    if ids:
        read(sampler, slots, 0, 0, [ids], keep=1)
    return slots


@torch.inference_mode()
def read(
    sampler: Sampler, slots: Slots, first: int, behind: int, rests: Sequence[list[int]], keep: int
) -> torch.Tensor:
    """Let the model read tokens into slots that lie side by side.

    Args:
        sampler: The model.
        slots: Where keys and values go.
        first: The slot of the first row.
        behind: Positions that the slots have already.
        rests: The tokens of each of B rows after those.
        keep: For how many tokens at the end of each row logits are wanted.

    Returns:
        Logits (B, keep, V).
    """
    where, width = sampler.device.device, max(map(len, rests))
    filler = sampler.stops[0]
    inputs = torch.tensor([[filler] * (width - len(ids)) + ids for ids in rests], device=where)
    # Padding goes where no row has a token yet, and will have one before it looks.
    nowhere = behind + width
    places = [[nowhere] * (width - len(ids)) + list(range(behind, behind + len(ids))) for ids in rests]
    return _logits(sampler, inputs, torch.tensor(places, device=where), slots, first, keep)


@torch.inference_mode()
def _write(
    sampler: Sampler,
    prefix: Slots,
    shared: int,
    prompts: Sequence[list[int]],
    samples: int,
    temperature: float,
    max_new_tokens: int,
    generator: torch.Generator,
    ended: Callable[[int], None] = lambda count: None,
) -> list[tuple[list[int], bool]]:
    """Write the completions of a chunk.

    Args:
        sampler: The model.
        prefix: A slot with the `shared` tokens that every prompt begins with; it is not changed.
        shared: How many those are.
        prompts: What follows them in each prompt.
        samples: Completions of each prompt.
        temperature: 0 for greedy.
        max_new_tokens: Where completions are cut.
        generator: Random numbers for this chunk.
        ended: Told, after every token, how many completions have ended.

    Returns:
        Tokens of each completion, and whether it ended by itself; ordered by prompt, then sample.
    """
    written: list[list[int]] = [[] for _ in range(len(prompts) * samples)]
    finished = [False] * len(written)
    longest = shared + max(map(len, prompts))
    most = max(samples, min(len(written), BATCH_TOKENS // (-(-longest // samples) + max_new_tokens)))
    groups = _parts(list(range(len(prompts))), min(READ_PROMPTS, most // samples))
    behind, slots = prefix.spread(most // samples), Slots(most)
    asked: list[int] = []  # which prompt is in each of the slots behind
    owners: list[int] = []  # which completion is in each slot
    last: list[torch.Tensor] = []  # logits (B, V) after the last token of each row, in parts
    while groups or owners:
        while groups and len(asked) + len(groups[0]) <= most // samples:
            group = groups.pop(0)
            new = read(sampler, behind, len(asked), shared, [prompts[index] for index in group], keep=1)[:, 0]
            last.append(new.repeat_interleave(samples, 0))
            asked += group
            owners += [index * samples + sample for index in group for sample in range(samples)]
        chosen = _choose(last[0] if len(last) == 1 else torch.cat(last), temperature, generator).tolist()
        stay = []
        for row, (owner, token) in enumerate(zip(owners, chosen, strict=True)):
            finished[owner] = token in sampler.stops
            if not finished[owner]:
                written[owner].append(token)
            if not finished[owner] and len(written[owner]) < max_new_tokens:
                stay.append(row)
        owners, last = [owners[row] for row in slots.keep(stay)], []
        ended(len(written) - len(owners) - samples * sum(map(len, groups)))
        left = {owner // samples for owner in owners}
        asked = [asked[slot] for slot in behind.keep([slot for slot, index in enumerate(asked) if index in left])]
        if owners:
            prompt = {index: (slot, shared + len(prompts[index])) for slot, index in enumerate(asked)}
            rows = [(*prompt[owner // samples], owner % samples, written[owner]) for owner in owners]
            last.append(step(sampler, slots, behind, samples, len(asked), rows))
    return list(zip(written, finished, strict=True))


@torch.inference_mode()
def step(
    sampler: Sampler,
    slots: Slots,
    prompts: Slots,
    samples: int,
    count: int,
    rows: Sequence[tuple[int, int, int, list[int]]],
) -> torch.Tensor:
    """Logits (B, V) after the last token of every row.

    Args:
        sampler: The model.
        slots: Where rows are.
        prompts: Where their prompts are.
        samples: Completions of each prompt.
        count: How many prompts there are.
        rows: Of each row its prompt's slot and length, which of its samples it is, and what is written of it.
    """
    told = [(slot, length, sample, ids[-1], len(ids) - 1) for slot, length, sample, ids in rows]
    slot, length, sample, last, own = torch.tensor(told, device=sampler.device.device).T
    full = [place * samples + number for place, _, number, _ in rows] == list(range(count * samples))
    behind = Behind(prompts, samples, count, slot, sample, length, full)
    return _logits(sampler, last[:, None], own[:, None], slots, 0, 1, behind)[:, 0]


def at_end(inputs: torch.Tensor, count: int) -> torch.Tensor:
    """The last positions of a (B, L) batch, (count,), for `logits_to_keep`.

    As positions and not as a number: the model would *slice* its hidden states, and torch multiplies a slice with
    frozen weights row by row, each row with its own copy of the whole vocabulary's matrix (measured with 48 prompts, an
    adapter merged in and 150,000 words: 41 s instead of 11 s for reading the prompts).
    """
    length = inputs.shape[1]
    return torch.arange(length - count, length, device=inputs.device)


def _logits(
    sampler: Sampler,
    inputs: torch.Tensor,
    own: torch.Tensor,
    slots: Slots,
    first: int,
    keep: int,
    behind: Behind | None = None,
) -> torch.Tensor:
    """Logits (B, keep, V) after the last of the tokens (B, T), which go to positions `own` of slots from `first`."""
    at, places = own, slots.look(first, own)[None]
    if behind is not None:
        after = behind.lengths[:, None]
        at, places = after + own, torch.cat((behind.places(), after + places), 1)
    later = places[:, None, None, :] > at[:, None, :, None]
    out = sampler.model(
        input_ids=inputs,
        position_ids=at,
        at=at,
        places=places,
        unseen=torch.zeros_like(later, dtype=sampler.device.dtype).masked_fill_(later, -torch.inf),
        behind=behind,
        cache=slots,
        use_cache=True,
        logits_to_keep=at_end(inputs, keep),
    )
    return out.logits


def _choose(logits: torch.Tensor, temperature: float, generator: torch.Generator) -> torch.Tensor:
    """The next token of each row, (B,)."""
    if temperature == 0:
        return logits.max(-1).indices  # `argmax` of bfloat16 is four times slower on a CPU
    # One random number for each row and not one for each word: `torch.multinomial` took longer than the model (135M
    # model on a CPU, 50 prompts x 8: 46 s of 128). In (0, 1]: no word of probability 0 is met.
    drawn = 1 - torch.rand(2, len(logits), 1, generator=generator, device=logits.device)
    some = rows_at_once(logits)
    groups = zip(logits.split(some), drawn[0].split(some), drawn[1].split(some), strict=True)
    return torch.cat([_drawn(*group, temperature) for group in groups])


def _drawn(logits: torch.Tensor, first: torch.Tensor, second: torch.Tensor, temperature: float) -> torch.Tensor:
    """A token for each row (B, V), where its random numbers (B, 1) point."""
    scaled = logits if temperature == 1 else logits.float() / temperature
    likely = torch.softmax(scaled, -1, dtype=torch.float32)
    # A part of the vocabulary first and a word in it then: adding up every word in turn is slower than the softmax.
    parts = pad(likely, (0, -likely.shape[-1] % PART)).unflatten(-1, (-1, PART))
    part = _at(parts.sum(-1), first)
    return part * PART + _at(parts[torch.arange(len(part), device=part.device), part], second)


def _at(weights: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
    """The column of each row (B, N) at a share (B, 1) of the row's weight."""
    upto = weights.cumsum(-1)
    return torch.searchsorted(upto, drawn * upto[:, -1:])[:, 0]
