"""Batches by an accelerator's free memory, and what happens where that was too much."""

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ingestion.encoders.batches import EncoderInput, PassageVectors, encode_batches
from ingestion.encoders.device import CPU, Placement
from ingestion.encoders.device_memory import (
    MOST_PASSAGES,
    ModelShape,
    OutOfDeviceMemory,
    device_memory,
    passages_at_once,
    run_in_batches,
)

MINILM = ModelShape(hidden=384, inner=1536, heads=12)
GPU = Placement("cuda", "H200")


def test_passages_fit_into_half_of_the_free_memory() -> None:
    # 256 tokens: 256 · (8 · 384 + 2 · 1536) + 2 · 12 · 256² values of 4 bytes are 12 MiB.
    assert passages_at_once(240 * 2**20, MINILM, 256) == 10
    assert passages_at_once(240 * 2**20 - 1, MINILM, 256) == 9
    assert passages_at_once(240 * 2**20, MINILM, 128) > 20
    assert passages_at_once(2**40, MINILM, 256) == MOST_PASSAGES
    assert passages_at_once(0, MINILM, 256) == 1
    assert passages_at_once(-(2**20), MINILM, 0) == 1


def test_the_shape_of_a_model_comes_from_its_configuration() -> None:
    known = SimpleNamespace(hidden_size=384, intermediate_size=1536, num_attention_heads=12)
    assert ModelShape.of(known) == MINILM
    assert ModelShape.of(SimpleNamespace(hidden_size=64)) == ModelShape(64, 256, 16)
    assert ModelShape.of(None) == ModelShape(1024, 4096, 16)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nmore"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
    ],
)
def test_too_little_memory_is_said_clearly(error: RuntimeError) -> None:
    told = "the memory of the device cuda: H200 is too small for one passage: .*; .* set device to cpu$"
    with pytest.raises(OutOfDeviceMemory, match=told), device_memory(GPU):
        raise error
    with pytest.raises(RuntimeError, match="other fault"), device_memory(GPU):
        raise RuntimeError("other fault")
    with pytest.raises(type(error)), device_memory(CPU):
        raise error


def small(most: int, seen: list[int]) -> None:
    """Raise as a device that holds `most` at a time does."""
    if seen[-1] > most:
        with device_memory(GPU):
            raise torch.OutOfMemoryError


def test_a_batch_that_does_not_fit_is_halved_down_to_one() -> None:
    seen: list[int] = []

    def doubled(some: Sequence[int]) -> list[int]:
        seen.append(len(some))
        small(2, seen)
        return [2 * one for one in some]

    assert run_in_batches(range(9), 9, doubled) == [0, 2, 4, 6, 8, 10, 12, 14, 16]
    assert seen == [9, 4, 2, 2, 2, 2, 1]
    assert run_in_batches([], 9, doubled) == []
    with pytest.raises(OutOfDeviceMemory):
        run_in_batches([1, 2], 2, lambda some: doubled([*some] * 3))


def test_encoding_goes_on_in_smaller_batches() -> None:
    seen: list[int] = []

    def encode(some: Sequence[EncoderInput]) -> list[PassageVectors]:
        seen.append(len(some))
        small(3, seen)
        none, nothing = np.zeros(0, np.float32), np.zeros((0, 0), np.float32)
        lengths = [np.full(1, len(one.text), np.float32) for one in some]
        return [PassageVectors(one, none, nothing, np.zeros((0, 2), np.int32)) for one in lengths]

    asked = [EncoderInput("", "x" * length) for length in range(1, 9)]
    found = encode_batches(
        asked,
        lambda some: [len(one.text) for one in some],
        encode,
        dimensions=(1, 0, 0),
        at_once=lambda _: 8,
    )
    assert found.cls[:, 0].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert seen == [8, 4, 2, 2, 2, 2]
    seen.clear()
    with pytest.raises(OutOfDeviceMemory):
        encode_batches(
            asked,
            lambda some: [1 for _ in some],
            lambda some: encode([*some, *some, *some, *some]),
            dimensions=(1, 0, 0),
            at_once=lambda _: 8,
        )
    assert seen == [32, 16, 8, 4]
