"""Environment variables that keep libraries off the network. Only entry points set them, before the imports
that read them: importing a package of this project changes nothing."""

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
    # LangSmith reads it first: a LANGCHAIN_TRACING_V2 from other work would send every question away.
    "LANGSMITH_TRACING_V2": "false",
    # transformers warns on standard error about things that no user can change.
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "true",
}


# OpenVINO reports every import to Google Analytics, and no variable stops it. Without this package it uses
# its own stub, which sends nothing.
_TELEMETRY = "openvino_telemetry"


def stay_offline() -> None:
    """Set the variables that are not set yet, block telemetry, and silence deprecation warnings."""
    for name, value in _VARIABLES.items():
        os.environ.setdefault(name, value)
    sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type]  # Python's way to block an import
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=FutureWarning)
