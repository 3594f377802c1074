"""Looks at a shop and proposes its settings: for ``init``.

In reading order: ``platform`` (which software it is), ``addresses`` (rules out of addresses), ``markup``
(selectors that are there), ``proposal`` (all together), ``writing`` (as a commented ``datacue.toml``).
"""

from __future__ import annotations

from proxy.setup.proposal import Answers, Proposal, propose
from proxy.setup.writing import write

__all__ = ["Answers", "Proposal", "propose", "write"]
