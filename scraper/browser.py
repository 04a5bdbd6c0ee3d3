"""The only Playwright: a page rendered in a real Chromium, waited for by the selector that proves its data.

Static sources never need it. The browser is looked for in this order: the setting, Playwright's own, then what the
machine has; nothing is downloaded here. Each page gets a process of its own (`python -m scraper.browser`), ended with its
browser when its time is over: not everything in a browser has a time limit, and a page that hangs must hold up nobody else.
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
from pathlib import Path
from typing import Any

from data.errors import HostFailed, PageChanged, UsageError
from scraper.address import check_address

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
) -> tuple[bytes, int]:
    """The page's HTML once `wait_for` is there, and the HTTP status.

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
    return body, answer["status"]


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


def _render(url: str, wait_for: str | None, browser: str, allow_private: bool) -> tuple[bytes, int]:
    """In the child: as `render`, without a limit of its own on what has none in the browser (`page.content`, closing)."""
    from playwright.sync_api import Error, TimeoutError, sync_playwright

    options: dict[str, Any] = {"channel": browser} if browser in CHANNELS else {"executable_path": browser}
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(args=FLAGS, chromium_sandbox=os.geteuid() != 0, **options)
        page = chromium.new_context(service_workers="block", accept_downloads=False).new_page()
        page.route("**/*", lambda r: r.continue_() if _wanted(r.request, allow_private) else r.abort())
        try:
            answer = page.goto(url, timeout=TIMEOUT_MS, wait_until="domcontentloaded")
            status = answer.status if answer else 0
            if status != 200:
                raise HostFailed(f"answered {status}.", where=url, fix="try again later.")
            if wait_for:
                page.wait_for_selector(wait_for, timeout=TIMEOUT_MS, state="attached")
            return page.content().encode(), status
        except TimeoutError as error:
            what = f"{wait_for!r} never came" if wait_for else "did not load in 30 s"
            raise PageChanged(f"{what}.", where=url, fix="look at the page and mend `wait_for`.") from error
        except Error as error:
            what = f"did not load: {str(error).splitlines()[0]}"
            raise HostFailed(what, where=url, fix="try again later.") from error


def _wanted(request: Any, allow_private: bool) -> bool:
    """What a page needs to fill its tables; nothing that looks into the reader's own network."""
    if request.resource_type in ("image", "font", "media"):
        return False
    try:
        check_address(request.url, allow_private=allow_private)
    except (HostFailed, PageChanged):
        return str(request.url).startswith(("data:", "blob:"))
    return True


def _child() -> None:
    """One page, asked for on stdin, answered on stdout: a line of JSON, then the body."""
    ask = json.load(sys.stdin)
    signal.alarm(ask.pop("longest_s") + 5)  # for when nobody is left to end it; the browser goes with its pipe
    try:
        body, status = _render(**ask)
        head: dict[str, Any] = {"status": status}
    except (HostFailed, PageChanged) as error:
        body, head = b"", {"failed": type(error).__name__, "what": error.what, "fix": error.fix}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + body)
    sys.stdout.buffer.flush()
    signal.alarm(0)


if __name__ == "__main__":
    _child()
