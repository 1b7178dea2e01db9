"""Checks of the claims on new repositories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from analysis.claims.outcome import Check, Dimensions, Finding

#: Check name to function; see :data:`analysis.claims.checks.CHECKS`.
CHECKS: Final[Mapping[str, Check]] = {}

#: Dimensions of each check and the values it knows, () where the data have to know them.
DIMENSIONS: Final[Mapping[str, Dimensions]] = {}

#: Check name to what words its finding, the title of the claim's page.
FINDINGS: Final[Mapping[str, Finding]] = {}
