"""The command line's way in: ``python -m gilkit`` does the same as ``gilkit``."""

import sys


def main() -> None:
    """Run the command line; what goes wrong while it is still being loaded is one line, too."""
    try:
        from gilkit.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    except ImportError as error:
        print(f"gilkit: {error}", file=sys.stderr)
        sys.exit(2)
    run()


if __name__ == "__main__":
    main()
