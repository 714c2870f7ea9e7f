"""The compiled modules, from ext/."""
