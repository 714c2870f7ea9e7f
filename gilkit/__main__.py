"""``python -m gilkit`` does the same as ``gilkit``."""

from gilkit.cli import main

if __name__ == "__main__":
    main()
