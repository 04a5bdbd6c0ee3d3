"""The only Playwright: a page rendered in a real Chromium, waited for by the selector that proves its data.

Static sources never need it. The browser is looked for in this order: the setting, Playwright's own, then what the
machine has; nothing is downloaded here. Each page gets a process of its own (`python -m scraper.browser`), ended with its
browser when its time is over: not everything in a browser has a time limit, and a page that hangs must hold up nobody else.
Everything it asks for, redirects and WebSockets included, goes through `scraper.proxy`, which reaches public addresses alone.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from data.errors import HostFailed, PageChanged, UsageError
from scraper.address import resolve
from scraper.proxy import Resolve, proxy

ROOT = Path(__file__).parents[1]
FAILURES = {"HostFailed": HostFailed, "PageChanged": PageChanged}

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge")
CHANNELS = ("chrome", "msedge", "chromium", "chrome-beta")
TIMEOUT_MS = 30_000
LONGEST_S = 90  # all of a page, its browser's start included
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--proxy-bypass-list=<-loopback>",  # loopback too, which Chromium would reach by itself
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
]


def find_browser(setting: str | None = None) -> str | None:
    """Path (or channel) of the browser that would be used, or none. Cheap: starts nothing."""
    if setting:
        return setting if setting in CHANNELS or Path(setting).is_file() else None
    own = own_browser()
    return own or next((path for name in NAMES if (path := shutil.which(name))), None)


def own_browser() -> str | None:
    """The Chromium that `playwright install` put there, if any."""
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    found = sorted(folder.glob("chromium-*/chrome-linux*/chrome")) if folder.is_dir() else []
    return str(found[-1]) if found else None


def render(
    url: str,
    wait_for: str | None,
    setting: str | None = None,
    *,
    allow_private: bool = False,
    longest_s: int = LONGEST_S,
) -> tuple[bytes, int, str]:
    """The page's HTML once `wait_for` is there, the HTTP status, and the URL that redirects led to.

    Raises HostFailed where it does not answer with 200 or not in time, PageChanged where the selector never comes,
    UsageError where no browser is found.
    """
    found = find_browser(setting)
    if found is None:
        fix = "install Chromium (`apt-get install chromium` or `playwright install chromium`), or set UNDERCUT_BROWSER."
        raise UsageError("this source needs a browser, and none was found.", where="browser", fix=fix)
    ask = {"url": url, "wait_for": wait_for, "browser": found, "allow_private": allow_private, "longest_s": longest_s}
    with tempfile.TemporaryFile() as said:  # a pipe would be held open by what the child leaves behind
        child = subprocess.Popen(
            [sys.executable, "-m", "scraper.browser"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,
            cwd=ROOT,
        )
        try:
            out, _ = child.communicate(json.dumps(ask).encode(), timeout=longest_s)
        except subprocess.TimeoutExpired as error:
            raise HostFailed(f"slower than {longest_s} s.", where=url, fix="try again later.") from error
        finally:
            _end(child)
        said.seek(0)
        last = said.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
    head, _, body = out.partition(b"\n")
    if child.returncode != 0 or not head:
        raise HostFailed(f"the browser stopped: {last[:200]}", where=url, fix="try again later.")
    answer = json.loads(head)
    if "failed" in answer:
        raise FAILURES[answer["failed"]](answer["what"], where=url, fix=answer["fix"])
    return body, answer["status"], answer["url"]


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill a child that still runs and all below it: Chromium leads a group of its own, so the child's is not enough."""
    if child.poll() is None:
        for pid in (*_below(child.pid), child.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    for pipe in (child.stdin, child.stdout):
        if pipe:
            pipe.close()
    child.wait()


def _below(pid: int) -> list[int]:
    """The processes below one, the deepest last; none where the machine has no /proc (the browser then goes with its pipe)."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):  # gone meanwhile
            parents.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    found = [pid]
    for here in found:
        found.extend(parents.get(here, ()))
    return found[1:]


def _render(url: str, wait_for: str | None, browser: str, reach: Resolve) -> tuple[bytes, int, str]:
    """In the child: as `render`, without a limit of its own on what has none in the browser (`page.content`, closing)."""
    from playwright.sync_api import Error, TimeoutError, sync_playwright

    options: dict[str, Any] = {"channel": browser} if browser in CHANNELS else {"executable_path": browser}
    with proxy(reach) as way_out, sync_playwright() as driver:
        options["args"] = [*FLAGS, f"--proxy-server={way_out.address}"]
        chromium = driver.chromium.launch(chromium_sandbox=os.geteuid() != 0, **options)
        context = chromium.new_context(service_workers="block", accept_downloads=False)
        context.route("**/*", lambda r: r.continue_() if _wanted(r.request) else r.abort())
        page = context.new_page()
        try:
            answer = page.goto(url, timeout=TIMEOUT_MS, wait_until="domcontentloaded")
            status = answer.status if answer else 0
            if status != 200:
                _tell_refused(way_out.refused, url)
                raise HostFailed(f"answered {status}.", where=url, fix="try again later.")
            if wait_for:
                page.wait_for_selector(wait_for, timeout=TIMEOUT_MS, state="attached")
            return page.content().encode(), status, page.url
        except TimeoutError as error:
            what = f"{wait_for!r} never came" if wait_for else "did not load in 30 s"
            raise PageChanged(f"{what}.", where=url, fix="look at the page and mend `wait_for`.") from error
        except Error as error:
            _tell_refused(way_out.refused, url)
            what = f"did not load: {str(error).splitlines()[0]}"
            raise HostFailed(what, where=url, fix="try again later.") from error


def _tell_refused(refused: list[str], url: str) -> None:
    """A page that led where nothing may go says so, not that it did not load."""
    if private := next((why for why in refused if "private network" in why or "not http" in why), None):
        raise PageChanged(private, where=url, fix="look up the page's address.")


def _wanted(request: Any) -> bool:
    """What a page needs to fill its tables; where it may come from is asked where the connection is made."""
    scheme = str(request.url).partition(":")[0].lower()
    return request.resource_type not in ("image", "font", "media") and scheme in ("http", "https", "data", "blob")


def _child() -> None:
    """One page, asked for on stdin, answered on stdout: a line of JSON, then the body."""
    ask = json.load(sys.stdin)
    signal.alarm(ask.pop("longest_s") + 5)  # for when nobody is left to end it; the browser goes with its pipe
    reach = partial(resolve, allow_private=ask.pop("allow_private"))
    try:
        body, status, url = _render(**ask, reach=reach)
        head: dict[str, Any] = {"status": status, "url": url}
    except (HostFailed, PageChanged) as error:
        body, head = b"", {"failed": type(error).__name__, "what": error.what, "fix": error.fix}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + body)
    sys.stdout.buffer.flush()
    signal.alarm(0)


if __name__ == "__main__":
    _child()
