"""Drawing tokens: streams are uniform and independent, and tokens are drawn as often as they are likely."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from inoculate.engine import device
from inoculate.engine.sampling import stream
from inoculate.engine.sampling.drawing import draw_tokens, next_tokens, uniforms
from inoculate.engine.sampling.scoring import _log_probabilities
from inoculate.errors import UserError


def numbers(seed: int, prompts: int, samples: int, tokens: int) -> np.ndarray:
    """Random numbers (completions, tokens, 2), as they are drawn for a request."""
    streams = [stream(seed, prompt, index) for prompt in range(prompts) for index in range(samples)]
    return np.stack([uniforms(streams, [token] * len(streams)).T for token in range(tokens)], 1)


def test_numbers_are_those_of_splitmix64() -> None:
    """The first numbers of Vigna's splitmix64.c from the state 1234567."""
    known = (6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821)
    found = uniforms([1234567] * 5, range(5)).astype(np.float64)
    wanted = [((number >> 40) + 1, (number >> 8 & 0xFFFFFF) + 1) for number in known]
    assert (found * 2**24 == np.array(wanted).T).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_numbers_are_uniform_within_and_across_completions(seed: int) -> None:
    found = numbers(seed, 40, 8, 128).astype(np.float64)
    assert found.min() > 0 and found.max() <= 1
    for part in (found[..., 0], found[..., 1]):
        assert stats.kstest(part.ravel(), "uniform").pvalue > 1e-3
        # Each completion by itself, and all completions at one token: their p-values are uniform in turn.
        for axis in (part, part.T):
            each = [stats.kstest(row, "uniform").pvalue for row in axis]
            assert stats.kstest(each, "uniform").pvalue > 1e-3


def test_numbers_are_independent_of_each_other() -> None:
    """Neighbouring tokens, samples, prompts and seeds, and the two numbers of a token: pairs fill the square evenly."""
    first, second = numbers(0, 40, 8, 128), numbers(1, 40, 8, 128)
    by_prompt = first.reshape(40, 8, 128, 2)
    pairs = {
        "tokens": (first[:, 1:, 0], first[:, :-1, 0]),
        "two numbers": (first[..., 0], first[..., 1]),
        "samples": (by_prompt[:, 1:, :, 0], by_prompt[:, :-1, :, 0]),
        "prompts": (by_prompt[1:, ..., 0], by_prompt[:-1, ..., 0]),
        "seeds": (first[..., 0], second[..., 0]),
    }
    for name, (a, b) in pairs.items():
        counts, *_ = np.histogram2d(a.ravel(), b.ravel(), 10, [[0, 1], [0, 1]])
        assert stats.chisquare(counts.ravel()).pvalue > 1e-3, name
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 4 / math.sqrt(a.size), name


def test_streams_differ() -> None:
    found = {stream(seed, prompt, index) for seed in range(3) for prompt in range(100) for index in range(8)}
    assert len(found) == 2400


@given(st.permutations(range(9)), st.integers(1, 9))
def test_a_completion_draws_the_same_whatever_is_drawn_with_it(order: list[int], count: int) -> None:
    logits = torch.randn(9, 300, generator=torch.Generator().manual_seed(0))
    temperatures, streams, positions = [0.0, 1.0, 0.5] * 3, [stream(0, row, 0) for row in range(9)], list(range(9))
    alone = [next_tokens(logits[row : row + 1], [temperatures[row]], [streams[row]], [positions[row]]) for row in order]
    rows = order[:count]
    found = next_tokens(
        logits[rows],
        [temperatures[row] for row in rows],
        [streams[row] for row in rows],
        [positions[row] for row in rows],
    )
    assert [([token], [value]) for token, value in zip(*found, strict=True)] == alone[:count]
    scaled = [logits[row] / (temperatures[row] or 1e-9) for row in rows]
    expected = [float(torch.log_softmax(one, -1)[token]) for one, token in zip(scaled, found[0], strict=True)]
    assert found[1] == pytest.approx(expected, abs=1e-4)


@given(
    st.lists(st.floats(-4, 4, width=16) | st.just(-math.inf), min_size=2, max_size=12), st.sampled_from([0.5, 1.0, 2.0])
)
@settings(max_examples=25, deadline=None)
def test_tokens_are_drawn_as_often_as_they_are_likely(scores: list[float], temperature: float) -> None:
    logits = torch.tensor([0.0, *scores])
    wanted = torch.softmax(logits / temperature, -1)
    count = 20_000
    random = torch.from_numpy(uniforms([stream(0, row, 0) for row in range(count)], [7] * count))
    drawn, probabilities = draw_tokens(logits.expand(count, -1), temperature, random)
    assert torch.allclose(probabilities, wanted[drawn])
    found = torch.bincount(drawn, minlength=len(logits)) / count
    assert (found[wanted == 0] == 0).all()
    assert ((found - wanted).abs() < 5 * (wanted * (1 - wanted) / count).sqrt() + 1e-4).all()


@given(st.integers(1, 9), st.integers(1, 40), st.sampled_from([0.5, 1.0]))
def test_every_row_draws_from_its_own_distribution_whatever_the_piece_size(
    rows: int, size: int, temperature: float
) -> None:
    logits = torch.full((rows, 300), -math.inf)
    only = (torch.arange(rows) * 37 + 5) % 300
    logits[torch.arange(rows), only] = 0.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "CACHE_FLOATS", size * 100)
        random = torch.from_numpy(uniforms(range(rows), range(rows)))
        assert torch.equal(draw_tokens(logits, temperature, random)[0], only)


def test_only_a_cpu_processes_a_table_in_pieces() -> None:
    assert device.rows_at_once(torch.empty(7, device.CACHE_FLOATS // 3)) == 3
    assert device.rows_at_once(torch.empty(7, 2 * device.CACHE_FLOATS)) == 1
    assert device.rows_at_once(torch.empty(7, 2 * device.CACHE_FLOATS, device="meta")) == 7


@pytest.mark.parametrize("broken", [math.nan, math.inf])
@pytest.mark.parametrize("temperature", [0.0, 1.0, 0.5])
@pytest.mark.parametrize("size", [5, 128, 300])
def test_logits_that_are_no_numbers_are_refused(broken: float, temperature: float, size: int) -> None:
    logits = torch.zeros(3, size)
    logits[1, size // 2] = broken
    with pytest.raises(UserError, match=r"logits are .*no token can be drawn"):
        next_tokens(logits, [1.0, temperature, 0.0], [1, 2, 3], [0, 0, 0])


def test_scores_that_are_no_numbers_are_refused() -> None:
    logits = torch.zeros(2, 5)
    assert _log_probabilities(logits, torch.tensor([1, 2])) == pytest.approx([-math.log(5)] * 2)
    logits[1, 3] = math.nan
    with pytest.raises(UserError, match="logits are infinite or no numbers"):
        _log_probabilities(logits, torch.tensor([1, 2]))
