"""Whether Z3 can be loaded here. It is a large native library, which may be missing, of another architecture, or lack memory."""

from __future__ import annotations

import contextlib
import io
import sys


def why_not() -> str:
    """One line that says why Z3 cannot be loaded and what to do; "" if it can."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # where its own advice goes, and a client's protocol
            import z3  # noqa: F401
    except Exception as e:  # ImportError, OSError, and a class of its own that only it defines
        reason = f"{type(e).__name__}: {e}".splitlines()[0]
        return f"Z3 cannot be loaded ({reason}); install it anew: {sys.executable} -m pip install --force-reinstall z3-solver"
    return ""
