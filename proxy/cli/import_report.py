"""What ``datacue-proxy import`` says: what files are taken for, what is wrong in them, and how it ended."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from proxy.api import NO_USER
from proxy.importer.columns import listed
from proxy.importer.guide import GUIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from proxy.cli.importing import Job
    from proxy.cli.style import End
    from proxy.importer import File, Problem, Resource

_MISSING: Final = re.compile(r"(?:^|; )(\w+): is missing")
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def explain(console: Console, file: File) -> None:
    """Says what a file is taken for."""
    name = file.source.name
    if file.platform is not None:
        console.print(
            f"{name}: looks like {file.platform.title} (say --platform none if it isn't)", markup=False
        )
        pairs = [*file.platform.says, *file.columns.plan]
    else:
        console.print(f"{name}: {file.form.title}, {file.source.encoding}", markup=False)
        pairs = [(column, field) for column, field in file.columns.plan if column != field]
    for column, field in pairs:
        console.print(f"  {column} → {field}", markup=False)
    if file.columns.unused:
        console.print(f"  left out: {listed(file.columns.unused)}", markup=False)


def show(console: Console, problems: Sequence[Problem], count: int) -> None:
    """Shows the first of so many problems."""
    several = len({problem.file for problem in problems}) > 1
    for problem in problems:
        where = f"{problem.file}, line" if several else "line"
        console.print(f"  {where} {problem.line}: {problem.reason}", markup=False)
    if count > len(problems) > 0:
        console.print(f"  … and {count - len(problems):,} more.")


def suggest(console: Console, resource: Resource, problems: Sequence[Problem]) -> None:
    """Says how what items lack can be given to all of them."""
    missing = next((found[1] for problem in problems if (found := _MISSING.search(problem.reason))), None)
    if missing in GUIDE[resource].required:
        text = NO_USER if missing == "user_id" else "TEXT"
        console.print(f"  What all of them lack can be said once: --set {missing}={text}", markup=False)


def outcome(job: Job, end: End) -> bytes:
    """How a run ended, as JSON."""
    told: dict[str, Any] = {
        "resource": job.options.resource,
        "verb": job.options.verb,
        "items": job.checked.items,
        "sent": job.tally.done,
        "sent_before": job.tally.known,
        "bad": job.checked.bad,
        "refused": job.tally.refused,
        "skipped": dict(job.checked.skipped),
        "problems": msgspec.to_builtins(job.problems or job.checked.problems),
        "failed_files": [str(path) for path in job.written],
        "sample": job.checked.sample if job.options.dry_run else [],
        "stopped": end.why or None,
        "dry_run": job.options.dry_run,
    }
    return _ENCODER.encode(told)


def summarize(job: Job, end: End) -> None:
    """Tells people how a run ended."""
    console = job.console
    if job.options.dry_run:
        _show_sample(job)
    else:
        _show_counts(job)
    for path in job.written:
        console.print(f"What failed is in {path}: mend it and import that.", markup=False)
    if end.why:
        again = " The same command with --resume goes on from here." if job.begun else ""
        console.print(f"Stopped: {end.why.rstrip('.')}.{again}", markup=False)


def _show_sample(job: Job) -> None:
    if job.checked.sample:
        job.console.print("The first of them, as they would be sent:")
    for document in job.checked.sample:
        text = msgspec.json.format(_ENCODER.encode(document), indent=2).decode()
        job.console.print(text, markup=False)


def _show_counts(job: Job) -> None:
    tally = job.tally
    verb, resource = job.options.verb, job.options.resource
    done = {"create": "created", "update": "updated", "delete": "deleted"}[verb]
    if verb == "delete" and resource == "orders":
        done = "cancelled"
    parts = [f"{tally.done:,} {done}"]
    for count, what in (
        (tally.known, "done before"),
        (job.checked.bad, "can't be sent"),
        (tally.refused, "refused by the API"),
    ):
        if count:
            parts.append(f"{count:,} {what}")
    job.console.print(", ".join(parts) + ".")
    if tally.refused:
        show(job.console, job.problems, job.checked.bad + tally.refused)
