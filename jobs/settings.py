"""Settings from the environment; secrets from there or from a file of mode 0600. None shows in a repr, a log line or a trace."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from data.errors import UsageError

if TYPE_CHECKING:
    from data.store import Keep, Place

SECRETS = ("slack_bot_token", "slack_app_token", "slack_webhook_url", "undercut_store")
TOKEN = re.compile(r"[!-~]+")
HOOK = re.compile(r"(https://[A-Za-z0-9.-]+|http://(127\.0\.0\.1|localhost))(:\d{1,5})?/[!-~]*")
SHAPES = {
    "slack_bot_token": (TOKEN, "one token, xoxb-…"),
    "slack_app_token": (TOKEN, "one token, xapp-…"),
    "slack_webhook_url": (HOOK, "one address, https://hooks.slack.com/services/…"),
}


class Settings(BaseSettings):
    """`UNDERCUT_*` and Slack's own names; paths are relative to the working directory."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)  # set to nothing is not set

    undercut_home: Path = Path("data/db")
    undercut_store: SecretStr | None = None  # ducklake:postgres:…, a team's store in place of a file in the home folder
    undercut_store_data: str | None = None  # its data files: a folder that every machine has, or s3://bucket/folder
    undercut_registry: str = "use_cases.yaml"  # a file, several separated by commas, or a glob
    undercut_browser: str | None = None
    undercut_platform_channel: str | None = None
    undercut_slack_url: str | None = None  # another Slack API address, for tests
    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_webhook_url: SecretStr | None = None
    slack_bot_token_file: Path | None = None  # in place of the variable: a file only its owner can read
    slack_app_token_file: Path | None = None
    slack_webhook_url_file: Path | None = None
    undercut_store_file: Path | None = None
    undercut_log: Literal["text", "json"] = "text"
    undercut_metrics_port: int | None = Field(default=None, ge=0, le=65_535)  # 0: any free one

    @model_validator(mode="after")
    def _read_files(self) -> Self:
        for name in SECRETS:
            file = getattr(self, f"{name}_file")
            if file is not None and getattr(self, name) is None:
                object.__setattr__(self, name, SecretStr(read_secret(file, f"{name}_file".upper())))
            held, (shape, example) = getattr(self, name), SHAPES.get(name, (None, ""))
            if shape and held and not shape.fullmatch(held.get_secret_value()):  # HTTP would quote it in its complaint
                raise UsageError(
                    "is not shaped as one.", where=name.upper(), fix=f"set it to {example} and nothing else."
                )
        return self

    @property
    def place(self) -> Place:
        """Where the database is written: the home folder, or a team's store. Raises UsageError where that cannot be read."""
        if self.undercut_store is None:
            return self.undercut_home
        from data.store import team_of

        return team_of(self.undercut_store.get_secret_value(), self.undercut_store_data)

    @property
    def published(self) -> Place:
        """Where it is read: the published copy, or a team's store itself."""
        return self.place if self.undercut_store else self.undercut_home / "market.duckdb"

    @property
    def kept(self) -> Keep:
        """Where the bodies are."""
        from data.store import Team, keep_of

        place = self.place
        return keep_of(place.part("bodies") if isinstance(place, Team) else place / "bodies")

    def registry_files(self) -> list[Path]:
        """The registry's files in order; a name or pattern that nothing fits stays in the list, and is told as missing."""
        found: list[Path] = []
        for part in filter(None, (p.strip() for p in self.undercut_registry.split(","))):
            path = Path(part)
            wild = any(c in part for c in "*?[")
            fit = sorted(Path(path.anchor or ".").glob(part.removeprefix(path.anchor))) if wild else []
            found.extend(fit or [path])
        return found


def read_secret(path: Path, variable: str) -> str:
    """The one line of a secret's file. Raises UsageError where others could read it, and never says what is in it."""
    try:
        state = path.stat()
        if state.st_mode & 0o077 or (hasattr(os, "getuid") and state.st_uid != os.getuid()):
            raise UsageError("others can read this file, or it is not yours.", where=f"{variable}={path}", fix=f"chown and chmod 600 {path}.")  # fmt: skip
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read: {type(error).__name__}.", where=f"{variable}={path}", fix="write the token into it, mode 0600.") from None  # fmt: skip
    if not text or len(text.splitlines()) != 1:
        raise UsageError("not one line.", where=f"{variable}={path}", fix="write the token into it and nothing else.")
    return text


def settings() -> Settings:
    """The settings of this environment. Raises UsageError naming every variable that cannot be read, never what is in it."""
    try:
        return Settings()
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        said = {str(f["loc"][0]).upper(): f["msg"].removeprefix("Input should be ") for f in faults}
        what = "; ".join(f"{name} should be {msg}" for name, msg in said.items())
        raise UsageError(f"{what}.", where="environment", fix=f"set or unset {', '.join(said)}.") from None
