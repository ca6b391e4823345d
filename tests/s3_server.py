"""Moto's S3 server as a process on loopback, and in front of it a line that can break."""

import http.client
import re
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIATEST",
    "AWS_SECRET_ACCESS_KEY": "s3cret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
OF_THIS_MACHINE = (
    *("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE"),
    "AWS_SHARED_CREDENTIALS_FILE",
)


@contextmanager
def moto():
    """The address of a server that knows no buckets yet; the process ends with the block."""
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"Running on (http://127\.0\.0\.1:\d+)", line):
                break
        else:
            raise AssertionError("".join(said))
        drain = threading.Thread(target=lambda: [None for _ in process.stderr])
        drain.start()
        yield found[1]
    finally:
        process.terminate()
        process.wait()
        drain.join()
        process.stderr.close()


class Line:
    """A proxy to a server. It passes on what it is not told to refuse, and keeps what it saw.

    `rules` are functions of the handler and the body of a request, asked in turn; one that returns
    True has answered (or hung up), and the request goes no further.
    """

    def __init__(self, upstream):
        outer = self
        self.upstream = upstream.removeprefix("http://")
        self.rules = []
        self.seen = []  # (method, path, headers)
        self.tag = ""  # instead of the ETag that the server tells

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                outer.seen.append((self.command, self.path, dict(self.headers)))
                if any(rule(self) for rule in list(outer.rules)):
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.pass_on(self, body)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def pass_on(self, handler, body):
        there = http.client.HTTPConnection(self.upstream)
        try:
            headers = {k: v for k, v in handler.headers.items() if k.lower() != "expect"}
            there.request(handler.command, handler.path, body, headers)
            told = there.getresponse()
            content = told.read()
            handler.send_response_only(told.status)
            for name, value in told.getheaders():
                if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                    other = self.tag if name.lower() == "etag" else ""
                    handler.send_header(name, other or value)
            size = told.getheader("Content-Length") if handler.command == "HEAD" else len(content)
            handler.send_header("Content-Length", str(size or 0))
            handler.end_headers()
            handler.wfile.write(content)
        finally:
            there.close()

    def lose_the_answer(self, handler):
        """Pass a request on and hang up: who asked does not know what became of it."""
        there = http.client.HTTPConnection(self.upstream)
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        headers = {k: v for k, v in handler.headers.items() if k.lower() != "expect"}
        there.request(handler.command, handler.path, body, headers)
        there.getresponse().read()
        there.close()
        hang_up(handler)

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@contextmanager
def line_to(upstream):
    """A proxy to a server, stopped at the end."""
    line = Line(upstream)
    try:
        yield line
    finally:
        line.close()


def when(method, path, then, times=None):
    """A rule for requests of a method whose path holds a text, for so many of them."""
    left = [times]

    def rule(handler):
        if handler.command not in method.split("|") or path not in handler.path:
            return False
        if left[0] is not None:
            if not left[0]:
                return False
            left[0] -= 1
        then(handler)
        return True

    return rule


def hang_up(handler):
    """No answer, or no more of it."""
    handler.close_connection = True
    with suppress(OSError):
        handler.connection.shutdown(socket.SHUT_RDWR)
    handler.connection.close()


def cut_half_way(handler):
    """Take half of what is sent, then hang up."""
    size = int(handler.headers.get("Content-Length", 0))
    with suppress(OSError):
        handler.rfile.read(size // 2)
    hang_up(handler)


def answer_half(handler):
    """Announce more than comes."""
    handler.send_response(206)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b"PAR1")
    hang_up(handler)


def refuse(code, word):
    """Answer with an error of the protocol."""

    def answer(handler):
        handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        text = f"<Error><Code>{word}</Code><Message>because</Message></Error>".encode()
        handler.send_response(code)
        handler.send_header("Content-Type", "application/xml")
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(text)

    return answer


def only_strangers_who_read(handler):
    """The rule of a bucket that anybody may read: no keys, no writing, no list."""
    reads = handler.command in ("GET", "HEAD") and "list-type" not in handler.path
    if reads and "Authorization" not in handler.headers:
        return False
    refuse(403, "AccessDenied")(handler)
    return True
