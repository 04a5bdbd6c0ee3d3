"""The only Playwright: a page rendered in a real Chromium, waited for by the selector that proves its data.

Static sources never need it. The browser is looked for in this order: the setting, Playwright's own, then what the
machine has; nothing is downloaded here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from data.errors import HostFailed, PageChanged, UsageError

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge")
CHANNELS = ("chrome", "msedge", "chromium", "chrome-beta")
TIMEOUT_MS = 30_000
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


class Browser(AbstractContextManager["Browser"]):
    """One browser for a cycle; a fresh context per page, since a page is broken after a failed load."""

    def __init__(self, setting: str | None = None) -> None:
        self.setting = setting
        self._stop: list[Callable[[], None]] = []
        self._browser: Any = None

    def render(self, url: str, wait_for: str | None) -> tuple[bytes, int]:
        """The page's HTML once `wait_for` is there, and the HTTP status.

        Raises HostFailed where it does not answer with 200, PageChanged where the selector never comes, UsageError
        where no browser is found.
        """
        from playwright.sync_api import Error, TimeoutError

        context = self._open().new_context(service_workers="block", accept_downloads=False)
        try:
            page = context.new_page()
            page.route(
                "**/*", lambda r: r.abort() if r.request.resource_type in ("image", "font", "media") else r.continue_()
            )
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
            raise HostFailed(
                f"did not load: {str(error).splitlines()[0]}", where=url, fix="try again later."
            ) from error
        finally:
            context.close()

    def _open(self) -> Any:
        if self._browser is not None:
            return self._browser
        found = find_browser(self.setting)
        if found is None:
            fix = "install Chromium (`apt-get install chromium` or `playwright install chromium`), or set UNDERCUT_BROWSER."
            raise UsageError("this source needs a browser, and none was found.", where="browser", fix=fix)
        from playwright.sync_api import sync_playwright

        driver = sync_playwright().start()
        self._stop.append(driver.stop)
        options: dict[str, Any] = {"channel": found} if found in CHANNELS else {"executable_path": found}
        self._browser = driver.chromium.launch(args=FLAGS, chromium_sandbox=os.geteuid() != 0, **options)
        self._stop.append(self._browser.close)
        return self._browser

    def __exit__(self, *_: object) -> None:
        while self._stop:
            self._stop.pop()()
        self._browser = None
