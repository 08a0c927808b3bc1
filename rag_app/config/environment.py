"""Variables that keep libraries from reaching outside. Only entry points call this, before the imports
that read them: importing a package of ours changes nothing."""

import os
import sys
import warnings

_VARIABLES = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "LANGSMITH_TRACING": "false",
    # Asked first: otherwise a LANGCHAIN_TRACING_V2 from other work would send every question away.
    "LANGSMITH_TRACING_V2": "false",
    # transformers reports on standard error what nobody can act on.
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "true",
}


# OpenVINO tells Google Analytics of every import, and no variable stops it: without this package it
# falls back on a stub of its own that sends nothing.
_TELEMETRY = "openvino_telemetry"


def stay_offline() -> None:
    """Set the variables that are not set yet, leave telemetry out, and quiet deprecation warnings."""
    for name, value in _VARIABLES.items():
        os.environ.setdefault(name, value)
    sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type]  # Python's way to bar an import
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=FutureWarning)
