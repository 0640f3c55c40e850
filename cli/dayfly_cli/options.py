"""What ``dayfly list`` was asked for."""

import msgspec

from dayfly_cli import table
from dayfly_cli.cluster import Connection
from dayfly_cli.survey import Scope


class Options(msgspec.Struct, frozen=True):
    """The command line, read; ``output`` is one of ``formats.TABLES`` or empty."""

    connection: Connection
    scope: Scope
    output: str = ""
    watch: bool = False

    @property
    def layout(self) -> table.Layout:
        """The columns that fit these flags."""
        return table.Layout.choose(wide=self.output == "wide", all_namespaces=self.scope.everywhere)
