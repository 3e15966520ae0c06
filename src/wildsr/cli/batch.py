"""`wildsr batch`: more pictures than one machine should do, by Ray; one file a verb."""

import os

import typer
from typer.core import TyperGroup

from wildsr.cli.batch_degrade import degrade
from wildsr.cli.batch_evaluate import evaluate
from wildsr.cli.batch_profile import profile
from wildsr.cli.batch_upscale import upscale
from wildsr.errors import UsageError, did_you_mean, nearest
from wildsr.files import shown


class Verbs(TyperGroup):
    """`wildsr batch IN OUT` is `wildsr batch upscale IN OUT`; a folder called as a verb is `./profile`."""

    def parse_args(self, ctx: object, args: list[str]) -> list[str]:
        """Put the verb in where none is given."""
        return super().parse_args(ctx, self.with_verb(args))  # type: ignore[arg-type]  # typer's own Context, from a private module

    def with_verb(self, args: list[str]) -> list[str]:
        """Return the arguments, beginning with a verb."""
        if not args or args[0] in (*self.commands, "-h", "--help"):
            return args
        first = args[0]
        mistyped = not (first.startswith("-") or os.path.lexists(first) or "/" in first)
        if mistyped and nearest(first, self.commands):
            raise UsageError(f"there is no {shown(first)}", hint=did_you_mean(first, self.commands))
        return ["upscale", *args]


app = typer.Typer(
    cls=Verbs,
    help="Work on the pictures of a store with many workers, and go on after whatever has happened."
    "\n\nwildsr batch INPUT OUTPUT is wildsr batch upscale INPUT OUTPUT.",
    no_args_is_help=True,
)
app.command("upscale")(upscale)
app.command("degrade")(degrade)
app.command("evaluate")(evaluate)
app.command("profile")(profile)
