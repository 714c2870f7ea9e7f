"""The command line: options, one function for each command, the screen."""
