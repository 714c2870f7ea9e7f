"""The command line's way in: ``python -m gilkit`` does the same as ``gilkit``."""

import os
import sys


def leave_folder(path: list[str]) -> None:
    """Look for no module in the working folder, but for gilkit itself if it is there and nowhere else.

    ``python -m`` puts it before all others: a harmless ``random.py`` there would be taken for Python's own.
    """
    try:
        here = os.getcwd()  # noqa: PTH109 (pathlib would be looked for there, too)
    except OSError:  # it was removed
        here = ""
    home = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120
    if path and path[0] in ("", here) and (home != here or home in path[1:]):
        del path[0]


def main() -> None:
    """Run the command line; what goes wrong while it is still being loaded is one line, too."""
    leave_folder(sys.path)
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
