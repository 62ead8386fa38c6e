"""Z3, where it can be loaded: it is a large native library, which may be missing, of another architecture, or lack memory."""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from typing import Any


def load() -> Any:
    """The module. When it cannot be loaded this raises what importing it raises, but says nothing on standard output."""
    if "z3" not in sys.modules:
        # where Z3's own advice would go, into a report or a client's protocol
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module("z3")
    return sys.modules["z3"]


def why_not() -> str:
    """One line that says why Z3 cannot be loaded and what to do; "" if it can."""
    try:
        load()
    except Exception as e:  # ImportError, OSError, and a class that Z3 itself defines
        reason = f"{type(e).__name__}: {e}".splitlines()[0].rstrip(".")
        return f"Z3 cannot be loaded ({reason}); install it anew: {sys.executable} -m pip install --force-reinstall z3-solver"
    return ""
