"""How a command says what it found: for people as text or a table, for programs as data."""

import json
from argparse import ArgumentParser
from typing import Any, Final

DATA: Final = ("json", "yaml")
TABLES: Final = ("wide", *DATA, "name")


def add_output(flags: ArgumentParser) -> None:
    """Let a command that answers in sentences answer with data."""
    flags.add_argument(
        "-o", "--output", choices=("text", *DATA), default="text", help="default: %(default)s"
    )


def add_table_output(flags: ArgumentParser) -> None:
    """Let a command that answers with a table answer with a wide one, data, or names."""
    flags.add_argument("-o", "--output", choices=TABLES, default="", help="default: a table")


def written(data: Any, output: str) -> str:
    """Write data, of what JSON can express, in one of DATA."""
    return _yaml(data) if output == "yaml" else json.dumps(data, indent=2)


def one_of_many(data: Any, output: str) -> str:
    """Write data that more will follow: a line of JSON, or a document of YAML."""
    return f"---\n{_yaml(data)}" if output == "yaml" else json.dumps(data)


def _yaml(data: Any) -> str:
    import yaml  # late: to load it costs more than most commands print

    plain = json.loads(json.dumps(data))  # no enums, no tuples
    text: str = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
    return text.rstrip("\n")
