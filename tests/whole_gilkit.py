"""All of gilkit, loaded at once: each name of it and each command would be loaded when it is first used."""

import gilkit
from gilkit.cli.group import command

LOADED = [*(getattr(gilkit, name) for name in gilkit.__all__), *command.commands.values()]
