"""``python -m proxy`` is ``datacue-proxy``: both begin here, so that Ctrl-C ends both alike."""

import sys


def main() -> None:
    """Runs the command line; the entry point of ``datacue-proxy``."""
    try:
        # Here, not above: modules are read for a while, and Ctrl-C may come meanwhile.
        from proxy.cli import main as run  # noqa: PLC0415

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
