"""`python -m reports_api`: what the container runs."""

import sys

from pydantic import ValidationError

from .main import create_app
from .settings import Settings
from .web import serve


def main() -> int:
    """Serve; 78 (EX_CONFIG) when the environment does not hold what the service needs."""
    try:
        settings = Settings()
    except ValidationError as error:
        for each in error.errors():
            print(f"{'.'.join(str(part) for part in each['loc']).upper()}: {each['msg']}", file=sys.stderr)
        return 78
    serve.run(create_app(settings), settings.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
