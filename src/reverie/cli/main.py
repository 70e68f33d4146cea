"""The command line's frame: commands are gathered, errors become two lines and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import typer

from reverie import __version__
from reverie.cli import asking, making, reading
from reverie.errors import Interrupted, ReverieError, UsageError

app = typer.Typer(
    name="reverie",
    help="Shows people what a neural network sees.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"reverie {__version__}")
        raise typer.Exit


@app.callback()
def _root(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version and stop.")) -> None:
    pass


app.command("recognise")(asking.recognise)
app.command("networks")(asking.networks)
app.command("layers")(asking.layers)
app.command("dream")(making.dream_command)
app.command("recipe")(reading.recipe_command)
app.command("redo")(making.redo_command)
app.command("doctor")(asking.doctor)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(main(list(sys.argv[1:] if arguments is None else arguments)))


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit code. A mistake of the user's is one or two lines on stderr."""
    command = typer.main.get_command(app)
    try:
        result: Any = command.main(args=arguments, prog_name="reverie", standalone_mode=False)
    except ReverieError as error:
        return _report(error)
    except KeyboardInterrupt:
        return _report(Interrupted("interrupted"))
    except BrokenPipeError:  # whoever read our output has gone
        sys.stderr.close()
        return 0
    except Exception as error:
        usage = _usage(error)
        if usage is None:
            raise
        return _report(usage)
    return result if isinstance(result, int) else 0


def _usage(error: Exception) -> UsageError | None:
    """Errors of the flag library, as ours; None for any other."""
    describe = getattr(error, "format_message", None)
    if describe is None:
        return UsageError("stopped") if type(error).__name__ == "Abort" else None
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "reverie"
    return UsageError(str(describe()).rstrip(".").replace("\n", " "), f"see `{where} --help`")


def _report(error: ReverieError) -> int:
    print(f"reverie: {error.fault}", file=sys.stderr)
    if error.remedy:
        print(f"         {error.remedy}", file=sys.stderr)
    return error.exit_code
