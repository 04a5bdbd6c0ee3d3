"""The error tree. Each error says what happened, where (file:line, URL or source) and the fix; it has an exit code.

UndercutError            1   a fault of ours, if raised as such
├── UsageError           2   wrong words on the command line, or an unusable folder
│   ├── RegistryError    2   use_cases.yaml is invalid; carries every problem at once
│   ├── SourceError      2   a source file of ours is invalid
│   └── StoreError       2   the database cannot be used: unwritable, locked, newer, damaged
├── DataMissing          3   nothing known, or older than allowed
├── HostFailed          20   the host did not answer as it should: try again later, nothing changed
├── PageChanged         21   the page answered and is not what it was: store nothing, tell a person
├── BreakerOpen         21   decided, but too much moved at once: teams hear nothing until it is released
└── NotDelivered        22   decided, but Slack did not take a message; it stays in the outbox
"""

from dataclasses import dataclass


class UndercutError(Exception):
    """What happened, where, and how to mend it, in one line of plain words."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        super().__init__(what)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head} Fix: {self.fix}" if self.fix else head


class UsageError(UndercutError):
    exit_code = 2


class SourceError(UsageError):
    pass


class StoreError(UsageError):
    pass


class DataMissing(UndercutError):
    exit_code = 3


class HostFailed(UndercutError):
    exit_code = 20


class PageChanged(UndercutError):
    exit_code = 21


class BreakerOpen(UndercutError):
    exit_code = 21


class NotDelivered(UndercutError):
    exit_code = 22


@dataclass(frozen=True)
class Problem:
    """One fault of a registry file. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    key: str
    code: str
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.key}: {self.message} Fix: {self.fix}"


class RegistryError(UsageError):
    """Every problem of every registry file, in file order."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(p) for p in problems))
