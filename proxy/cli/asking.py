"""What ``datacue-proxy init`` asks, tells and writes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import typer
import uvloop

from proxy.cli.style import PROGRAM, complain, console
from proxy.errors import SettingsError
from proxy.settings import load
from proxy.setup import Answers, propose, write

if TYPE_CHECKING:
    from pathlib import Path

    from proxy.settings import Settings
    from proxy.setup import Proposal

USUAL = "http://127.0.0.1:8080"
"""Where most shops listen on a developer's machine."""

AGAIN = "Mend that, then do this again with --force."
"""What helps where the shop couldn't be looked at: the file is there by then."""


def run(upstream: str | None, output: Path, *, yes: bool, force: bool) -> bool:
    """Asks, looks, writes; whether the shop could be looked at.

    Raises:
        SettingsError: an answer can't be used, or the file is there already.
    """
    people = not yes and sys.stdin.isatty()
    if output.exists() and not force and not (people and typer.confirm(f"{output} is there. Replace it?")):
        mend = "Say --force to replace it, or --output for another file."
        raise SettingsError(str(output), "is there already", mend)
    given = upstream or os.environ.get("DATACUE_UPSTREAM")
    if given is None and not people:
        mend = f"Say --upstream {USUAL}."
        raise SettingsError("--upstream", "the shop's address is missing", mend)
    answers = _ask(given or USUAL, asked=people)
    out = console()
    out.print(f"Looking at {answers.upstream} …", markup=False)
    # What stands in a file that is replaced has no say.
    proposal = uvloop.run(propose(answers, _checked(answers).state_dir))
    if (
        people
        and proposal.preset is not None
        and not typer.confirm(f"This is {proposal.platform}. Take its preset?", default=True)
    ):
        answers = Answers(answers.upstream, answers.consent, use_preset=False, datacue=answers.datacue)
        proposal = uvloop.run(propose(answers, _checked(answers).state_dir))
    try:
        output.write_text(write(proposal), encoding="utf-8")
    except OSError as error:
        problem = f"can't be written: {(error.strerror or str(error)).lower()}"
        raise SettingsError(str(output), problem, "Name another file with --output.") from None
    _tell(proposal, output)
    return not proposal.failure


def _ask(upstream: str, *, asked: bool) -> Answers:
    datacue = "DATACUE_API_KEY" in os.environ
    if not asked:
        return Answers(upstream, datacue=datacue)
    upstream = typer.prompt("Where is the shop?", default=upstream)
    consent = typer.prompt(
        "Which cookie and value say that a visitor consented, as consent=yes? (none: nobody is asked)",
        default="none",
    )
    datacue = datacue or typer.confirm("Is there a DataCue API key? (no: the embedded engine answers)")
    return Answers(upstream, consent, datacue=datacue)


def _checked(answers: Answers) -> Settings:
    """The answers, read as settings are.

    Raises:
        SettingsError: one of them can't be used.
    """
    return load(upstream=answers.upstream, consent=answers.consent)


def _tell(proposal: Proposal, output: Path) -> None:
    out = console()
    if proposal.failure:
        complain(f"the shop could not be looked at: {proposal.failure.rstrip('.')}. {AGAIN}")
    else:
        name = proposal.platform or "no software that we know"
        more = f", preset {proposal.preset}" if proposal.preset else ""
        kinds = ", ".join(kind for kind in proposal.sources if kind != "404") or "none"
        out.print(f"{proposal.looked} pages looked at: {name}{more}.", markup=False, soft_wrap=True)
        out.print(f"  kinds of pages   {kinds}", soft_wrap=True)
        for rule in proposal.rules:
            out.print(f"  rule             {rule.path} → {rule.kind}", markup=False, soft_wrap=True)
        for slot in proposal.slots:
            where = f"{slot.position} {slot.selector} on {', '.join(slot.kinds)}"
            out.print(f"  slot             {where}", markup=False, soft_wrap=True)
        if proposal.placeholders:
            told = ", ".join(proposal.placeholders)
            out.print(f"  placeholders     there already on {told}", markup=False, soft_wrap=True)
        if "product" not in proposal.sources:
            out.print("[yellow]  No product page was recognized: add a \\[\\[pages]] rule for them.[/]")
    option = "" if output.name == "datacue.toml" and not output.parent.name else f" --config {output}"
    guess = " all the same, without anything about this shop's pages" if proposal.failure else ""
    out.print(f"[bold green]{output} is written{guess}.[/] Next:", soft_wrap=True)
    out.print(
        f"  {PROGRAM} check{option}    what would become of the shop's pages", markup=False, soft_wrap=True
    )
    out.print(f"  {PROGRAM} run{option}      then open http://127.0.0.1:8000", markup=False, soft_wrap=True)
    if proposal.answers.datacue:
        out.print("  Keep DATACUE_API_KEY and DATACUE_API_SECRET in the environment.")
