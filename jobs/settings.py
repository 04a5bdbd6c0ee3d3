"""Settings from the environment; secrets never show in a repr, a log line or a traceback."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """`UNDERCUT_*` and Slack's own names; paths are relative to the working directory."""

    model_config = SettingsConfigDict(extra="ignore")

    undercut_home: Path = Path("data/db")
    undercut_registry: str = "use_cases.yaml"  # a file, several separated by commas, or a glob
    undercut_browser: str | None = None
    undercut_platform_channel: str | None = None
    undercut_slack_url: str | None = None  # another Slack API address, for tests
    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_webhook_url: SecretStr | None = None

    @property
    def published(self) -> Path:
        return self.undercut_home / "market.duckdb"

    def registry_files(self) -> list[Path]:
        """The registry's files in order; a name without wildcard stays in the list though it may be missing."""
        found: list[Path] = []
        for part in filter(None, (p.strip() for p in self.undercut_registry.split(","))):
            path = Path(part)
            wild = any(c in part for c in "*?[")
            found.extend(sorted(Path(path.anchor or ".").glob(part.removeprefix(path.anchor))) if wild else [path])
        return found


@lru_cache
def settings() -> Settings:
    return Settings()
