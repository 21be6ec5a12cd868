"""`python -m ….web.health`: the health check of the container, with nothing but the standard library.

Exits with 0 when the service in the same container answers /health, else with 1 and the reason on stderr.
"""

import os
import sys
import urllib.request


def main() -> int:
    """Ask once."""
    url = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/health"
    try:
        with urllib.request.urlopen(url, timeout=2):
            return 0
    except OSError as error:  # refused, timed out, or a status of 400 and above
        print(f"{url}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
