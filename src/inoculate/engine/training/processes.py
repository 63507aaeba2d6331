"""Several processes of one machine that train one adapter together: who they are, and what they exchange.

Each works as if it were alone: it has the whole base model, the same adapter, optimizer and order of rows. Only the
micro-batches of a step are divided. Their gradients are added up once a step, as one buffer: a LoRA adapter is small
(80 MB in float32 for a model of 7B: a tenth of a second), and the step is then that of one process, with its
normalisation, its clipping and its logs. `DistributedDataParallel` would average in place of adding up, expects the
model to be called through itself, and sends while the backward pass goes on, which pays where gradients are large.

The exchange goes through gloo and the processor's memory, on GPUs too: a process that dies is then noticed at once.
"""

from __future__ import annotations

import json
import os
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import distributed

Value = TypeVar("Value")
_PATIENCE = timedelta(days=7)
"""One may wait for another as long as a step takes, such as for rewards; a dead one does not let it wait."""


class PeerLost(Exception):
    """Another of the processes has ended."""


def is_of_peer(error: Exception) -> bool:
    """Whether an error of FSDP's, amidst the model, says that another of the processes has ended."""
    return isinstance(error, distributed.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error))


class Processes:
    """The processes of a training, as one of them sees them; one that is alone exchanges nothing."""

    def __init__(self, number: int = 0, count: int = 1, meeting: Path | None = None, *, shards: bool = False) -> None:
        """Meet the others.

        Args:
            number: Of this process, from 0; the first one writes files and says how far the training is.
            count: How many there are.
            meeting: A file that does not exist yet, on a disk of this machine, by which they find each other.
            shards: Whether the base weights are divided among them too (`sharding`).
        """
        self.number, self.count, self.shards = number, count, shards
        self._group: Any = None
        if meeting and shards:
            _meet_for_weights(number, count, meeting.with_name(f"{meeting.name}-weights"))
        if meeting:
            # No default group: transformers, accelerate and PEFT would see it, and take the training for one of theirs.
            gloo: Any = distributed.ProcessGroupGloo
            options = gloo._Options()
            options._devices, options._timeout = [gloo.create_device(hostname="127.0.0.1")], _PATIENCE
            self._group = gloo(distributed.FileStore(str(meeting), count), number, count, options)

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes files."""
        return self.number == 0

    def add_up(self, model: Any, loss: torch.Tensor) -> None:
        """Add up the gradients of a step, and its loss, over the processes; all have the sums afterwards.

        Args:
            model: The model, whose weights that are trained have the gradients of this process's micro-batches, or none
                where it had none.
            loss: A scalar, of these micro-batches.
        """
        if self.count == 1:
            return
        gradients = []
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
                gradients.append(parameter.grad)
        summed = self.summed(torch.cat([*(one.float().flatten() for one in gradients), loss.float()[None]]))
        for gradient, part in zip(gradients, summed.split([one.numel() for one in (*gradients, loss)]), strict=False):
            gradient.copy_(part.view_as(gradient))
        loss.copy_(summed[-1])

    def summed(self, own: torch.Tensor) -> torch.Tensor:
        """The sum of a tensor over the processes, the same bits in each of them."""
        if self.count == 1:
            return own
        total = own.cpu().clone()
        self._wait(self._group.allreduce, [total])
        return total.to(own.device)

    def gather(self, own: Value) -> list[Value]:
        """What each process gives, in the order of their numbers: plain data, as JSON has it."""
        if self.count == 1:
            return [own]
        data = torch.frombuffer(bytearray(json.dumps(own).encode()), dtype=torch.uint8)
        sizes = [torch.zeros(1, dtype=torch.long) for _ in range(self.count)]
        self._wait(self._group.allgather, [sizes], [torch.tensor([len(data)])])
        longest = max(int(size) for size in sizes)
        parts = [torch.zeros(longest, dtype=torch.uint8) for _ in sizes]
        self._wait(self._group.allgather, [parts], [torch.nn.functional.pad(data, (0, longest - len(data)))])
        return [json.loads(part[: int(size)].numpy().tobytes()) for part, size in zip(parts, sizes, strict=True)]

    def from_first(self, own: Value) -> Value:
        """What the first process gives; the others' own is not looked at."""
        return self.gather(own if self.is_first else None)[0]  # type: ignore[return-value]

    def _wait(self, collective: Any, *given: Any) -> None:
        try:
            collective(*given).wait()
        except RuntimeError as error:
            raise PeerLost(str(error)) from error


def _meet_for_weights(number: int, count: int, meeting: Path) -> None:
    """Make torch's default group, by which FSDP exchanges weights: between GPUs through NCCL, else through gloo.

    A dead process is not noticed by the others on GPUs: the one that has started them all ends them.
    """
    loopback = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
    os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback)
    distributed.init_process_group(
        "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo",
        store=distributed.FileStore(str(meeting), count),
        rank=number,
        world_size=count,
        timeout=_PATIENCE,
    )


ALONE = Processes()
