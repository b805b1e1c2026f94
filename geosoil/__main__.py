"""Run the command line with ``python -m geosoil``."""

import sys

from geosoil.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
