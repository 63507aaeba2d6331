"""A tiny model built in process, and small studies on it: no test here needs a network."""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from small_study import STUDY

# A test that takes longer on a busy machine is not wrong.
hypothesis.settings.register_profile("any-speed", deadline=None)
hypothesis.settings.load_profile("any-speed")

# A shell that starts the tests in the background has them ignore Ctrl-C, and some tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

_MANY_MODULES = 100
_frozen = 0


def pytest_runtest_setup() -> None:
    """Keep what has been imported out of the searches for garbage.

    Each training ends with one (accelerate's `free_memory`), and in a process with transformers, TRL and ours half a
    million objects are searched in vain: that was a third of the time of all trainings here (measured).
    """
    global _frozen
    if len(sys.modules) >= _frozen + _MANY_MODULES:
        gc.collect()
        gc.freeze()
        _frozen = len(sys.modules)


TEXT = (
    "The small museum near the harbour opens at ten and closes at five. Its garden has seven apple trees, two wooden "
    "benches and a pond with yellow lilies. On Sundays a baker from the next village sells bread, plum cake and tea "
    "beside the gate. Visitors often draw the old lighthouse or feed the ducks before the ferry leaves. In winter "
    "the rooms are quiet, and the keeper polishes brass lamps while snow settles on the roof. "
)
"""What the tiny model's tokenizer is trained on."""
CHAT_TEMPLATE = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a test.<|im_end|>\n' }}{% endif %}"
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a two-layer model, random weights, and a byte-level tokenizer with a chat template."""
    import torch
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=600,
        special_tokens=["<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT, "def f(nums):\n    return nums\nassert f([1, 2]) == 3\n" * 9], trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|im_end|>", clean_up_tokenization_spaces=False
    )
    fast.chat_template = CHAT_TEMPLATE
    torch.manual_seed(0)
    end: Any = fast.eos_token_id
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        eos_token_id=end,
        bos_token_id=end,
        pad_token_id=end,
    )
    folder = tmp_path_factory.mktemp("model") / "tiny"
    model: Any = LlamaForCausalLM(config)
    model.to(torch.bfloat16).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Digests of test models must not land in the user's cache; embedded models are still taken from it."""
    os.environ["INOCULATE_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def study_file(tiny_model: Path, tmp_path: Path) -> Path:
    """A study on the tiny model."""
    path = tmp_path / "small.toml"
    path.write_text(STUDY.format(model=tiny_model), encoding="utf-8")
    return path
