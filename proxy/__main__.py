"""``python -m proxy`` is ``datacue-proxy``."""

from proxy.cli import main

main()
