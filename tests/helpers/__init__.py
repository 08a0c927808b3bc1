"""What several test files use: `from tests.helpers.NAME import …`. Fixtures are in conftest.py files."""

import pkgutil

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)))
