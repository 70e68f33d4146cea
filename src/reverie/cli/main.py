"""The command line's frame: commands are gathered, errors become two lines and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import typer

from reverie.cli import cache, dreaming, filming, imagining, info, journeying, reading, seeing
from reverie.errors import InputError, Interrupted, MissingExtra, OutputError, ReverieError, UsageError
from reverie.version import __version__

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


app.command("recognise")(info.recognise)
app.command("networks")(info.networks)
app.command("layers")(info.layers)
app.command("dream")(dreaming.dream_command)
app.command("imagine")(imagining.imagine_command)
app.command("feature")(imagining.feature_command)
app.command("see")(seeing.see_command)
app.command("journey")(journeying.journey_command)
app.command("film")(filming.film_command)
app.command("recipe")(reading.recipe_command)
app.command("redo")(dreaming.redo_command)
app.command("cache")(cache.cache_command)
app.command("doctor")(info.doctor)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    code = main(list(sys.argv[1:] if arguments is None else arguments))
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:  # Python would flush once more at the end, and complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit code. A mistake of the user's is one or two lines on stderr."""
    command = typer.main.get_command(app)
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore")  # Pillow remarks on damaged metadata, torch on itself
        try:
            result: Any = command.main(args=arguments or ["--help"], prog_name="reverie", standalone_mode=False)
        except ReverieError as error:
            return _report(error)
        except KeyboardInterrupt:
            result = Interrupted.exit_code
        except SystemExit:  # whoever read our output has gone
            return 0
        except Exception as error:
            ours = _usage(error) or _circumstance(error)
            if ours is None:
                raise
            return _report(ours)
    if result == Interrupted.exit_code:
        return _report(Interrupted("interrupted"))
    return result if isinstance(result, int) else 0


def _usage(error: Exception) -> UsageError | None:
    """Errors of the flag library, as ours; None for any other."""
    describe = getattr(error, "format_message", None)
    if describe is None:
        return UsageError("stopped") if type(error).__name__ == "Abort" else None
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "reverie"
    return UsageError(str(describe()).rstrip(".").replace("\n", " "), f"see `{where} --help`")


def _circumstance(error: Exception) -> ReverieError | None:
    """What the machine is to blame for, as ours; None for a fault in the program."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error):
        return InputError("there is not enough memory for this", "give a smaller --width or --size, or close other programs")
    if isinstance(error, ImportError):
        return MissingExtra(f"a package cannot be imported: {error}", "`reverie doctor` says what is missing")
    if isinstance(error, OSError):
        what = "the answer" if error.filename is None else f"'{error.filename}'"
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            return OutputError(f"{what} cannot be written ({error.strerror})", "free some space, or choose another place")
        return InputError(f"{what} cannot be used ({error.strerror or error})", "check the name, and what you may do there")
    return None


def _report(error: ReverieError) -> int:
    print(f"reverie: {error.fault}", file=sys.stderr)
    if error.remedy:
        print(f"         {error.remedy}", file=sys.stderr)
    return error.exit_code
