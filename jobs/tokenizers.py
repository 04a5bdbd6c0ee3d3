"""Tokens per 1,000 characters by tokenizer family and kind of text: measured where a package ships the vocabulary.

The measurements stand in data/catalogue/tokenizers.yaml; `python -m jobs.tokenizers` takes them again with the optional
extra `tokens` installed. Nothing is downloaded at run time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.catalogue.reader import HERE, read_yaml
from data.errors import DataMissing, SourceError

SAMPLES = HERE / "samples"
KINDS = ("english", "german", "chinese", "japanese", "code", "json")
Count = Callable[[str], int]


@dataclass(frozen=True)
class Density:
    """Tokens per 1,000 characters of one kind of text; `low` and `high` are alike where it was measured."""

    family: str
    kind: str
    low: float
    high: float
    measured: bool
    by: str  # package and version, or the page that states it


def densities(folder: Path = HERE) -> dict[tuple[str, str], Density]:
    """(family, kind) -> tokens per 1,000 characters. Raises SourceError with family and what is wrong."""
    path = folder / "tokenizers.yaml"
    out: dict[tuple[str, str], Density] = {}
    for family, entry in read_yaml(path).items():
        by, measured = str(entry.get("by", "")), "measured" in entry
        if not by or (not measured and not by.startswith("https://")):
            raise SourceError(f"{family}: no word on who measured or states it.", where=str(path), fix="add by.")
        for kind, said in entry.get("measured" if measured else "stated", {}).items():
            low, high = (said, said) if measured else said
            if kind not in KINDS or not 0 < float(low) <= float(high) < 4000:
                raise SourceError(
                    f"{family}.{kind}: {said!r} are no tokens.", where=str(path), fix="tokens per 1,000 characters."
                )
            out[family, kind] = Density(family, kind, float(low), float(high), measured, by)
    return out


def measure() -> Iterator[Density]:
    """The samples counted by the installed packages. Raises DataMissing where the extra is not installed."""
    for family, count, by in _counters():
        for kind in KINDS:
            text = (SAMPLES / f"{kind}.txt").read_text(encoding="utf-8")
            found = round(1000 * count(text) / len(text), 1)
            yield Density(family, kind, found, found, True, by)


def _counters() -> Iterator[tuple[str, Count, str]]:
    """(family, counter, package) of every vocabulary that an installed package brings along."""
    from importlib import import_module
    from importlib.metadata import version

    try:
        home = str(import_module("mistral_common").__file__)
        tekkenizer: Any = import_module("mistral_common.tokens.tokenizers.tekken").Tekkenizer
        openai: Any = import_module("rs_bpe.bpe").openai
    except ImportError as error:
        fix = "pip install 'undercut[tokens]'; the measured figures are in data/catalogue/tokenizers.yaml."
        raise DataMissing("the tokenizer packages are not installed.", where=str(error), fix=fix) from error
    rust = f"rs-bpe {version('rs-bpe')}"
    for family, tokenizer in (("o200k", openai.o200k_base()), ("cl100k", openai.cl100k_base())):
        yield family, _counting(tokenizer), rust
    tekken = tekkenizer.from_file(str(Path(home).parent / "data" / "tekken_240911.json"))
    yield "tekken", lambda text: len(tekken.encode(text, False, False)), f"mistral-common {version('mistral-common')}"


def _counting(tokenizer: Any) -> Count:
    return lambda text: len(tokenizer.encode(text))


if __name__ == "__main__":
    for d in measure():
        sys.stdout.write(f"{d.family:8} {d.kind:9} {d.low:7.1f}  {d.by}\n")
