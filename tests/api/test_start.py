"""What a script pays for ``from proxy.api import DataCueClient``."""

from __future__ import annotations

import subprocess
import sys

from harness.process import ROOT


def test_a_script_loads_neither_the_proxy_nor_the_engine():
    program = "import sys; from proxy.api import DataCueClient; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stdout.split())
    assert not loaded & {
        "proxy.engine",
        "proxy.lifespan",
        "proxy.server",
        "proxy.settings",
        "uvicorn",
        "numpy",
    }


def test_the_middleware_is_still_where_it_was():
    import proxy
    from proxy.embedding import PersonalizationMiddleware

    assert proxy.PersonalizationMiddleware is PersonalizationMiddleware
    assert all(hasattr(proxy, name) for name in proxy.__all__)
    assert not hasattr(proxy, "anything")
