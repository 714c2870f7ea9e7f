"""Who holds the GIL: of two calls, and in a block."""

import time
import zlib

import gilkit

if __name__ == "__main__":
    data = bytes(10**6)
    print(f"zlib.compress  {gilkit.held_share(zlib.compress, data):.2f}")
    print(f"sorted         {gilkit.held_share(sorted, range(10**5)):.2f}")

    with gilkit.GilMonitor() as monitor:  # a whole block, all threads
        time.sleep(0.05)
        sorted(range(10**6))
    print(f"the block      {monitor.held_share:.2f}")
    for thread, share in monitor.by_thread.items():
        print(f"  {thread.name}   {share:.2f}")
    hold = monitor.longest_hold
    print(f"longest hold   {hold.seconds:.4f} s, by {hold.thread.name}")
