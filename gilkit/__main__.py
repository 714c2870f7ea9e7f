"""The command line's way in: ``python -m gilkit`` does the same as ``gilkit``."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C while it is still being loaded is as quiet as it is later."""
    try:
        from gilkit import cli
    except KeyboardInterrupt:
        sys.exit(130)
    cli.main()


if __name__ == "__main__":
    main()
