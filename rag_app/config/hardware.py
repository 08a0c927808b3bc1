"""Settings of the hardware that models use."""

from pydantic import BaseModel, Field

from ingestion.encoders import Device, Precision


class HardwareSettings(BaseModel):
    """Fields of the settings."""

    device: Device = Field(
        "auto",
        description="where encoders, rerankers and the reader run: cpu, cuda, mps, xpu; "
        "auto: the accelerator that torch finds, else cpu",
    )
    encoder_precision: Precision = Field(
        "fp32",
        description="int8 encodes faster and slightly less exactly; run rag-app reindex after a change",
    )
    llm_gpu_layers: int | None = Field(
        None,
        ge=-1,
        description="layers of the LLM on a GPU; -1: all; none: all, where llama.cpp was built for a GPU",
    )
