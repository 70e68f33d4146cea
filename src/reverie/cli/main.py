"""The command line's frame: commands come from the table, errors become two lines and an exit code."""

from __future__ import annotations

import errno
import os
import shlex
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from reverie.cli.flags import built
from reverie.cli.other_words import no_such_command, no_such_flag
from reverie.errors import InputError, Interrupted, MissingExtra, OutputError, ReverieError, UsageError
from reverie.recipe import COMMANDS, flag_of
from reverie.version import __version__
from reverie.waiting import give_way

ALIASES = {"recognize": "recognise"}


class _Commands(click.Group):
    """The commands of the table, each built when it is asked for."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(each.name, each.summary) for each in COMMANDS.values()])

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise no_such_command(args[0])
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        spec = COMMANDS.get(ALIASES.get(cmd_name, cmd_name))
        return None if spec is None else built(spec)


app = _Commands(
    "reverie",
    help="Shows people what a neural network sees.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
app.params.append(
    click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=lambda *given: _version(*given),
        help="Print the version and stop.",
    )
)


def _version(context: click.Context, _param: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(f"reverie {__version__}")
        context.exit()


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    give_way()
    code = main(list(sys.argv[1:] if arguments is None else arguments))
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:  # Python would flush once more at the end, and complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit code. A mistake of the user's is one or two lines on stderr."""
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore")  # Pillow remarks on damaged metadata, torch on itself
        try:
            if not arguments:
                click.echo(welcome())
                return 0
            result: Any = app.main(args=arguments, prog_name="reverie", standalone_mode=False)
        except ReverieError as error:
            return _report(error)
        except (KeyboardInterrupt, click.Abort):
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


def welcome() -> str:
    """What to try first, on the picture at hand."""
    from reverie.files import READABLE
    from reverie.files.films.reading import READABLE_FILMS

    picture, film = _first(READABLE), _first(READABLE_FILMS - READABLE)
    name = "noise:pink" if picture is None else picture
    rows = [
        (f"reverie dream {name}", "enhance in it what the network believes is there"),
        ("reverie imagine banana", "what the network expects a banana to look like"),
        (f"reverie see {'PICTURE' if picture is None else picture}", "what each layer made of it: one page"),
        *([] if picture is None else [(f"reverie recognise {picture}", "what the network calls it")]),
        *([(f"reverie film {film}", "dream on it, steady from frame to frame, with its sound")] if film else []),
        ("reverie --help", "all commands"),
    ]
    return "\n".join(f"{command:<{max(len(row[0]) for row in rows) + 3}}{what}" for command, what in rows)


def _first(suffixes: frozenset[str]) -> str | None:
    """The first file of such a kind in the working folder, as a shell takes its name; None where there is none."""
    from reverie.store import files_in

    try:
        found = next(files_in(Path(), suffixes), None)
    except (OSError, ReverieError):
        return None
    if found is None:
        return None
    return shlex.quote(f"./{found.name}" if found.name.startswith("-") else found.name)


def _usage(error: Exception) -> UsageError | None:
    """Errors of the flag library, as ours; None for any other."""
    if not isinstance(error, click.ClickException):
        return None
    context = getattr(error, "ctx", None)
    if isinstance(error, click.NoSuchOption):
        return no_such_flag(error.option_name, (context.info_name if context else None) or "")
    where = context.command_path if context is not None else "reverie"
    more, params = f"`{where} --help`", [] if context is None else context.command.params
    if isinstance(error, click.MissingParameter) and isinstance(param := error.param, click.Argument):
        spec = COMMANDS.get((context.info_name if context else None) or "")
        return UsageError(f"`{where}` needs {param.metavar}", f"for example: {spec.example}; see {more}" if spec else f"see {more}")
    if isinstance(error, click.BadOptionUsage):
        flag = error.option_name
        option = next((each for each in params if isinstance(each, click.Option) and flag in (*each.opts, *each.secondary_opts)), None)
        if option is None or option.is_flag:
            return UsageError(f"{flag} takes no value", f"give it alone, or leave it out; see {more}")
        missing = "a value" if option.nargs == 1 else f"{option.nargs} values"
        return UsageError(f"{flag} without {missing}", f"write {flag} {option.metavar}; see {more}")
    return UsageError(error.format_message().rstrip(".").replace("\n", " "), f"see `{where} --help`")


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
    fault, remedy = error.with_flags(flag_of)
    print(f"reverie: {fault}", file=sys.stderr)
    if remedy:
        print(f"         {remedy}", file=sys.stderr)
    return error.exit_code
