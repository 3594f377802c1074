"""``python -m proxy`` is ``datacue-proxy``: both begin here, so that Ctrl-C ends both alike."""

import gc
import sys

COLLECT = (50_000, 20, 100)
"""Objects more than before until the cyclic collector runs, and how often its older generations do. Modules
make many that all stay, and a page leaves no cycle behind: Python's own 700 cost a tenth of either."""


def main() -> None:
    """Runs the command line; the entry point of ``datacue-proxy``."""
    gc.set_threshold(*COLLECT)
    try:
        from proxy.cli import main as run  # noqa: PLC0415  Ctrl-C may come while modules are read

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
