"""``python -m proxy`` is ``datacue-proxy``."""

import sys

try:
    from proxy.cli import main

    main()
except KeyboardInterrupt:  # while modules were still being read
    sys.exit(130)
