"""The command line."""

from reverie.cli.main import run

__all__ = ["run"]
