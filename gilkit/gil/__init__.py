"""Who holds the GIL: the monitor, observations and assertions, the law."""
