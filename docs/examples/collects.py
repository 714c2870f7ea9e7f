"""Collect garbage while another thread makes calls that stay attached."""

import ctypes
import gc
import threading
import time

call = ctypes.PyDLL(None).usleep  # a call into C that does not detach


def work() -> None:
    """Call, and rest."""
    for _ in range(10):
        call(50_000)
        time.sleep(0.01)


worker = threading.Thread(target=work, name="worker")
worker.start()
while worker.is_alive():
    gc.collect()
    time.sleep(0.01)
