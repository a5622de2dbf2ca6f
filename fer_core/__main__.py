"""`python -m fer_core`: see `fer_core.cli`."""

from __future__ import annotations

import sys

from fer_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
