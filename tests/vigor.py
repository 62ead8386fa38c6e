"""Vigor's tree (branch pregenerated20.08): MAESTRO_VIGOR names it.

It is others' work and not kept here, and `make test` has to pass where it cannot be fetched: without it, what needs it is left out, and
says so. A wrong MAESTRO_VIGOR is a failure.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

GIVEN = bool(os.environ.get("MAESTRO_VIGOR"))
VIGOR = Path(os.environ.get("MAESTRO_VIGOR", ""))
NFS = ("vigbridge", "vigfw", "viglb", "vignat", "vignop", "vigpol")
WHY = "MAESTRO_VIGOR does not name a tree of Vigor (branch pregenerated20.08)"
needs_vigor = pytest.mark.skipif(not GIVEN, reason=WHY)
