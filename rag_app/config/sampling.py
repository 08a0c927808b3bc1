"""How a model chooses its words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """What decides between a model's likely next tokens. The order is llama.cpp's: `repeat_penalty`, then
    `top_k`, `top_p`, `min_p`, `temperature`; a draw with `seed` ends it. None: left to the server.

    Attributes:
        temperature: 0 takes the likeliest token always; of the others only `repeat_penalty` counts then.
        top_p: the likeliest tokens whose probabilities add up to this are kept; 1 keeps all.
        top_k: the most tokens kept; 0 keeps all.
        min_p: tokens less likely than this share of the likeliest one are dropped; 0 drops none.
        repeat_penalty: divides the logits of the answer's last 64 tokens; 1 changes nothing.
        seed: the same seed gives the same answer to the same prompt, on the same machine.
    """

    temperature: float = 0.0
    top_p: float | None = 0.95
    top_k: int | None = 40
    min_p: float | None = 0.05
    repeat_penalty: float | None = 1.0
    seed: int = 0
