"""How a language model chooses its tokens."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the next token is chosen, in llama.cpp's order: `repeat_penalty`, `top_k`, `top_p`, `min_p`,
    `temperature`, then a draw with `seed`. None: the server decides.

    Attributes:
        temperature: 0 always takes the likeliest token; then only `repeat_penalty` counts besides.
        top_p: keeps the likeliest tokens whose probabilities add up to this; 1 keeps all.
        top_k: keeps so many of the likeliest tokens; 0 keeps all.
        min_p: drops tokens less likely than this share of the likeliest; 0 drops none.
        repeat_penalty: divides the logits of the answer's last 64 tokens; 1 changes nothing.
        seed: the same seed gives the same answer to the same prompt, on the same machine.
    """

    temperature: float = 0.0
    top_p: float | None = 0.95
    top_k: int | None = 40
    min_p: float | None = 0.05
    repeat_penalty: float | None = 1.0
    seed: int = 0
