"""Variables that keep libraries from reaching outside. Only entry points call this, before the imports
that read them: importing a package of ours changes nothing."""

import os
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


def stay_offline() -> None:
    """Set the variables that are not set yet, and quiet the libraries' deprecation warnings."""
    for name, value in _VARIABLES.items():
        os.environ.setdefault(name, value)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=FutureWarning)
