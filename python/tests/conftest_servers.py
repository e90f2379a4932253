"""The fixtures of the end-to-end tests that start servers, taken over from there."""

import importlib.util
from pathlib import Path

_path = Path(__file__).resolve().parents[2] / "Tests" / "EndToEndTests" / "conftest.py"
_spec = importlib.util.spec_from_file_location("end_to_end_conftest", _path)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

__all__ = [
    "pytest_configure", "pytest_collection_modifyitems", "pytest_runtest_makereport", "pytest_terminal_summary",
    "totals", "start_server", "server",
]
globals().update({name: getattr(_module, name) for name in __all__})
