"""``python -m xinzheng.cli`` is ``xinzheng``."""

import sys

from xinzheng.cli.main import main

sys.exit(main())
