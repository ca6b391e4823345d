"""A real HTTP server on loopback that answers as it is told, well or badly."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Server:
    """Answers each request with the next of a list of answers; the last one for ever.

    An answer is a function of the handler. Every request is kept as its path and headers.
    """

    def __init__(self, *answers):
        outer = self
        self.answers = list(answers)
        self.requests = []
        turns = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with turns:
                    outer.requests.append((self.path, dict(self.headers)))
                    turn = min(len(outer.requests), len(outer.answers)) - 1
                outer.answers[turn](self)
                self.close_connection = True

            do_HEAD = do_GET

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@contextmanager
def serving(*answers):
    """A server with these answers, stopped at the end."""
    server = Server(*answers)
    try:
        yield server
    finally:
        server.close()


def body(content, kind="text/plain", code=200, length=None, **headers):
    """An answer of these bytes; `length` announces another length than it has."""

    def answer(handler):
        handler.send_response(code)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(content)

    return answer


def status(code, said=None, **headers):
    """An answer without content, or with the JSON object that portals send along."""
    content = b"" if said is None else json.dumps({"error": True, "message": said}).encode()
    return body(content, "application/json", code, **headers)


def hang_up(handler):
    """No answer at all."""
    handler.connection.close()


class Portal:
    """The part of a Socrata portal that is asked for: pages and the count, worded as there.

    Rows are dictionaries of texts; a null is left out of the JSON, as there. `faults` holds
    answers for coming page requests, first come first served; None lets one pass.
    """

    def __init__(self, rows, fields, changed="Tue, 26 Apr 2016 23:01:08 GMT"):
        self.rows = rows
        self.fields = fields
        self.changed = changed
        self.dataset = "abcd-1234"
        self.faults = []
        self.pages = []  # (offset, limit) of each page that was asked for
        self.tells_fields = True

    def __call__(self, handler):
        parts = urlsplit(handler.path)
        asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
        name, _, suffix = parts.path.rpartition("/")[2].partition(".")
        if name != self.dataset:
            status(404, f"Dataset '_{name}' was not found")(handler)
        elif asked.get("$select") == "count(*)":
            self.send(handler, json.dumps([{"count": str(len(self.rows))}]), "json")
        else:
            start, limit = int(asked["$offset"]), int(asked["$limit"])
            self.pages.append((start, limit))
            fault = self.faults.pop(0) if self.faults else None
            rows = self.rows[start : start + limit]
            if fault is not None:
                fault(handler)
            elif suffix == "json":
                lines = (json.dumps({k: v for k, v in r.items() if v is not None}) for r in rows)
                self.send(handler, "[" + "\n,".join(lines) + "]\n", "json")
            else:
                self.send(handler, self.csv(rows), "csv")

    def csv(self, rows):
        lines = [self.fields, *([r[f] for f in self.fields] for r in rows)]
        cells = (["" if c is None else '"' + c.replace('"', '""') + '"' for c in r] for r in lines)
        return "\n".join(",".join(row) for row in cells) + "\n"

    def send(self, handler, text, kind):
        headers = {"Last-Modified": self.changed} if self.changed else {}
        if kind == "json" and self.tells_fields:
            headers["X-SODA2-Fields"] = json.dumps(self.fields)
        types = {"json": "application/json;charset=utf-8", "csv": "text/csv;charset=utf-8"}
        body(text.encode(), types[kind], **headers)(handler)


def ranged(content, etag='"v1"', **headers):
    """An answer that honours Range and If-Range, as file stores do."""

    def answer(handler):
        wanted, mark = handler.headers.get("Range"), handler.headers.get("If-Range")
        told = {"ETag": etag, "Accept-Ranges": "bytes", **headers}
        if wanted is None or mark not in (None, etag):
            body(content, "application/zip", **told)(handler)
            return
        start = int(wanted.removeprefix("bytes=").partition("-")[0])
        if start >= len(content):
            body(b"", code=416, **told)(handler)
            return
        told["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        body(content[start:], "application/zip", 206, **told)(handler)

    return answer


def cut(content, after, **headers):
    """An answer that announces all of the content and breaks off."""
    return body(content[:after], "application/zip", length=len(content), **headers)
