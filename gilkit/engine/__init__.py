"""How it is run: executors, pools, one worker, one window, one runner of interleaved rounds."""
