"""The command `hsu`: scenes, methods, runs, chapters, the book and the scorecard from a terminal."""

from __future__ import annotations

import os
from typing import Any

import click

import hsu_lib
from hsu_lib.cli import chapters, cluster, data, decide, own, runs
from hsu_lib.errors import InputError

EXAMPLES = """\b
Examples
  hsu data list                                  the scenes, and which of them are here
  hsu methods ae-patches                         a method's settings with their sources
  hsu run patching                               a chapter on the embedded scene, in a minute
  hsu run patching --profile desk -p scene=jasper -p seeds=100-102 -p compute=True --out mine
  hsu look image.mat                             what would be read of an image of your own
  hsu rank image.mat                             how many endmembers it may have
  hsu unmix image.mat --method vca-fclsu -p 4    any method on an image of your own
  hsu unmix image.mat --endmembers-from E.csv    abundances of spectra that you know
  hsu scorecard                                  the judged claims with their verdicts
  hsu time                                       times that claims need, with nothing beside them
  hsu answers --claims prim                      what fresh seeds say of the first document's claims
"""


class _Commands(click.Group):
    """Turns the errors that users can mend into one line and a non-zero exit."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ValueError, LookupError, OSError, RuntimeError) as error:
            if isinstance(error, (click.exceptions.Exit, click.Abort, BrokenPipeError)) or _traceback():
                raise
            # a KeyError shows its message in quotes
            message = error.args[0] if isinstance(error, KeyError) and error.args else error
            if isinstance(error, InputError):
                message = error.for_command_line
            raise click.ClickException(str(message)) from error
        except click.ClickException:
            raise
        except Exception as error:  # nobody thought of it: still no traceback, unless it is asked for
            if _traceback():
                raise
            raise click.ClickException(
                f"{type(error).__name__}: {' '.join(str(error).split())} (HSU_TRACEBACK=1 shows where)"
            ) from error


def _traceback() -> bool:
    """Whether errors are shown with where they come from: HSU_TRACEBACK=1."""
    return os.environ.get("HSU_TRACEBACK", "0") not in ("", "0")


@click.group(cls=_Commands, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(hsu_lib.__version__, prog_name="hsu")
def main() -> None:
    """Hyperspectral unmixing, reproduced: run methods, rerun chapters, build the book.

    Tables are for reading; add --json to any listing for programs.
    """


for group in (data, runs, decide, cluster, chapters, own):
    for command in group.COMMANDS:
        main.add_command(command)
