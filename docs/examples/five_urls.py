"""Five pages of a small server, fetched by a pool of threads as each becomes ready."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen

PAGES = ["north", "south", "east", "west", "nowhere"]
SLOW = 0.1  # seconds until the server answers, as one that is far away


class Page(BaseHTTPRequestHandler):
    """Answers slowly, and knows four pages."""

    def do_GET(self):
        """Answer a request."""
        time.sleep(SLOW)
        if self.path == "/nowhere":
            self.send_error(404)
            return
        text = (self.path[1:] * 1000).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Say nothing of requests."""


def served():
    """Start the server on this machine, and return the addresses of its pages."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return [f"http://127.0.0.1:{server.server_port}/{page}" for page in PAGES]


def fetch(url):
    """Return how many bytes a page has."""
    with urlopen(url, timeout=10) as answer:
        return len(answer.read())


if __name__ == "__main__":
    urls = served()
    start = time.perf_counter()
    with ThreadPoolExecutor(max_workers=5) as pool:
        pages = {pool.submit(fetch, url): url.rsplit("/", 1)[1] for url in urls}
        found = {}
        for future in as_completed(pages):
            try:
                found[pages[future]] = f"{future.result():,} bytes"
            except OSError as error:
                found[pages[future]] = f"failed: {error}"
    for page in PAGES:
        print(f"{page:<8} {found[page]}")
    print("all at once:", "less" if time.perf_counter() - start < 3 * SLOW else "more", "than three waits")
