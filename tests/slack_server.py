"""A strict local Slack: chat.postMessage, chat.update, conversations.history, .replies and .list, an incoming webhook.

It refuses what Slack refuses and the SDK lets pass (50 blocks, long fields, empty text, 13,200 characters in all, bare
mrkdwn control characters) and fails on demand: `faults` holds what to do with the next posts, in order.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

TOKEN = "xoxb-fake-0001"
HOOK = "/services/T0/B0/hook-secret-0002"
ALL_MOST = 13_200
TAKEN = ("drop", "short", "garbled", "page", "504")
MOST = {"header": 150, "section": 3_000}


class SlackServer:
    """What was posted, and what shall go wrong. Faults: TAKEN (posted, and no whole answer), `cut` (not posted, no answer),
    `429:SECONDS`, `500`, `503` (not posted), or an error code such as `invalid_auth`."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.posted: list[dict[str, Any]] = []
        self.edited: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.archived: set[str] = set()
        self.channels = {"#support-ai": "C0SUPPORT", "#llm-platform": "C0PLATFORM"}
        self.history_error: str | None = None
        self.page = 2  # so that paging is used
        self.first_ts = 4_000_000_000  # after whatever "now" a test plays
        self.url = ""
        self.socket_url: str | None = None  # where apps.connections.open leads
        self.views: list[dict[str, Any]] = []
        self.uploaded: list[bytes] = []
        self.files: list[dict[str, Any]] = []
        self.upload_fault = ""  # `url`, `body`, `share` (refused there) or `lost` (shared, no answer)

    @property
    def api(self) -> str:
        return self.url + "/api/"

    @property
    def hook(self) -> str:
        return self.url + HOOK

    def channel_id(self, name: str) -> str | None:
        return self.channels.get(name) or (name if name in self.channels.values() else None)


def faults_of(payload: dict[str, Any]) -> str | None:
    """The error Slack answers to a payload, or None where it takes it."""
    text, blocks = payload.get("text") or "", payload.get("blocks") or []
    if not text and not blocks:
        return "no_text"
    if len(text) > 40_000:
        return "msg_too_long"
    if "<" in text or ">" in text or re.search(r"&(?!amp;|lt;|gt;)", text):
        return "invalid_blocks"  # stricter than Slack: our text must be escaped
    if len(blocks) > 50:
        return "invalid_blocks"
    if sum(len(t) for b in blocks for t in _texts(b)) > ALL_MOST:
        return "msg_blocks_too_long"
    return "invalid_blocks" if any(_bad(b) for b in blocks) else None


def _bad(block: dict[str, Any]) -> bool:
    kind = block["type"]
    if len(block.get("block_id", "")) > 255 or any(not t.strip() for t in _texts(block)):
        return True
    match kind:
        case "header":
            return block["text"]["type"] != "plain_text" or len(block["text"]["text"]) > MOST["header"]
        case "section":
            fields = block.get("fields", [])
            long = len(block.get("text", {}).get("text", "")) > MOST["section"]
            return (
                long
                or len(fields) > 10
                or any(len(f["text"]) > 2_000 for f in fields)
                or not ("text" in block or fields)
            )
        case "context":
            return not 1 <= len(block["elements"]) <= 10
        case "rich_text":
            return not block["elements"] or any(not e["elements"] for e in block["elements"])
        case "divider":
            return False
        case "actions":
            return not 1 <= len(block["elements"]) <= 25
    return True  # a kind nobody knows


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "text" and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)


class _Handler(BaseHTTPRequestHandler):
    slack: SlackServer

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        bytes_ = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/upload/"):
            self._upload(bytes_)
            return
        raw = bytes_.decode()
        query = self.path.partition("?")[2]
        is_json = "json" in (self.headers.get("Content-Type") or "")
        body = json.loads(raw) if is_json and raw else dict(parse_qsl(query + "&" + raw))
        for key in ("blocks", "metadata"):
            if isinstance(body.get(key), str):
                body[key] = json.loads(body[key])
        path = self.path.partition("?")[0]
        self.slack.calls.append(path.rsplit("/", 1)[-1])
        if path == HOOK:
            self._hook(body)
        elif path.endswith("apps.connections.open"):  # by app token
            self._json(
                {"ok": True, "url": self.slack.socket_url}
                if self.slack.socket_url
                else {"ok": False, "error": "invalid_auth"}
            )
        elif (self.headers.get("Authorization") or "") != f"Bearer {TOKEN}":
            self._json({"ok": False, "error": "invalid_auth"})
        else:
            self._api(path.rsplit("/", 1)[-1], body)

    def _upload(self, body: bytes) -> None:
        if self.slack.upload_fault == "body":
            return self._say(500, "upstream", "text/html")
        self.slack.uploaded.append(body)
        return self._say(200, f"OK - {len(body)}", "text/plain")

    def _file(self, method: str, body: dict[str, Any]) -> None:
        slack, fault = self.slack, self.slack.upload_fault
        if method == "files.getUploadURLExternal":
            if fault == "url":
                return self._json({"ok": False, "error": "missing_scope"})
            return self._json({"ok": True, "upload_url": f"{slack.url}/upload/v1/{len(slack.files)}", "file_id": "F1"})
        if fault == "share" or body.get("channel_id") not in slack.channels.values():
            return self._json({"ok": False, "error": "channel_not_found"})
        slack.files.append(body)
        return self._drop() if fault == "lost" else self._json({"ok": True, "files": [{"id": "F1"}]})

    def _hook(self, body: dict[str, Any]) -> None:
        fault = self.slack.faults.pop(0) if self.slack.faults else ""
        if self._failed(fault):
            return None
        error = fault if fault and fault not in TAKEN else faults_of(body)
        if error:
            return self._say(400 if error != "no_service" else 404, error, "text/html")
        self.slack.posted.append(body)
        return self._taken(fault) if fault in TAKEN else self._say(200, "ok", "text/html")

    def _api(self, method: str, body: dict[str, Any]) -> None:
        slack = self.slack
        if method == "conversations.list":
            found = [{"id": i, "name": n.removeprefix("#")} for n, i in slack.channels.items()]
            return self._json({"ok": True, "channels": found, "response_metadata": {"next_cursor": ""}})
        if method == "views.open":
            slack.views.append(
                {**body, "view": json.loads(body["view"]) if isinstance(body["view"], str) else body["view"]}
            )
            return self._json({"ok": True, "view": {"id": "V1"}})
        if method.startswith("files."):
            return self._file(method, body)
        channel = slack.channel_id(body.get("channel", ""))
        if method in ("conversations.history", "conversations.replies"):
            if slack.history_error or body.get("channel") not in slack.channels.values():
                return self._json({"ok": False, "error": slack.history_error or "channel_not_found"})
            thread = body["ts"] if method.endswith("replies") else None  # a history holds no replies
            kept = [m for m in reversed(slack.posted) if m["channel"] == channel and m.get("thread_ts") == thread]
            kept = [m for m in kept if float(m["ts"]) > float(body.get("oldest") or 0)]
            at, size = int(body.get("cursor") or 0), min(slack.page, int(body.get("limit") or 100))
            more = str(at + size) if at + size < len(kept) else ""
            page = [m if body.get("include_all_metadata") else {**m, "metadata": None} for m in kept[at : at + size]]
            return self._json({"ok": True, "messages": page, "response_metadata": {"next_cursor": more}})
        fault = slack.faults.pop(0) if slack.faults else ""
        if self._failed(fault):
            return None
        error = fault if fault and fault not in TAKEN else faults_of(body)
        error = "channel_not_found" if channel is None else "is_archived" if channel in slack.archived else error
        here = {m["ts"]: m.get("thread_ts") for m in slack.posted if m["channel"] == channel}
        if body.get("thread_ts") and here.get(body["thread_ts"], "") is not None:
            error = "thread_not_found"  # no such message, or itself a reply
        if error:
            return self._json({"ok": False, "error": error})
        if method == "chat.update":
            if body["channel"] not in slack.channels.values():
                return self._json({"ok": False, "error": "channel_not_found"})
            if body["ts"] not in here:
                return self._json({"ok": False, "error": "message_not_found"})
            slack.edited.append(body)
            return self._json({"ok": True, "ts": body["ts"], "channel": channel})
        ts = f"{slack.first_ts}.{len(slack.posted):06d}"
        slack.posted.append({**body, "channel": channel, "ts": ts})
        return self._taken(fault) if fault in TAKEN else self._json({"ok": True, "ts": ts, "channel": channel})

    def _failed(self, fault: str) -> bool:
        if fault == "cut":
            self._drop()
        elif fault.startswith("429"):
            self.send_response(429)
            self.send_header("Retry-After", fault.partition(":")[2] or "1")
            self._end(b'{"ok": false, "error": "ratelimited"}', "application/json")
        elif fault in ("500", "503"):
            self._say(int(fault), "<html>upstream</html>", "text/html")
        return fault == "cut" or fault[:3] in ("429", "500", "503")

    def _taken(self, fault: str) -> None:
        """The message stands in the channel; the answer is none, too short, no HTTP, or that of a gateway."""
        if fault == "page":
            return self._say(200, "<html>sign in to the guest network</html>", "text/html")
        if fault == "504":
            return self._say(504, "<html>gateway</html>", "text/html")
        if fault == "short":
            self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
        elif fault == "garbled":
            self.wfile.write(b"\x16\x03\x01 nothing of HTTP\r\n\r\n")
        return self._drop()

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(2)

    def _json(self, value: dict[str, Any]) -> None:
        self._say(200, json.dumps(value), "application/json")

    def _say(self, status: int, text: str, kind: str) -> None:
        self.send_response(status)
        self._end(text.encode(), kind)

    def _end(self, body: bytes, kind: str) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def slack_server() -> Iterator[SlackServer]:
    """A server on a free local port until the block ends."""
    slack = SlackServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"slack": slack}))
    server.daemon_threads = True
    slack.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield slack
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
