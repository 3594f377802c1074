"""``datacue-proxy import``: brings a shop's exports to DataCue, or to the embedded engine."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer
from rich.console import Console

from proxy.cli.style import AsJson, Config, helped
from proxy.errors import SettingsError
from proxy.settings import load

MAX_CONCURRENCY = 32
"""Batches in flight: each holds some MiB, and the API's time."""

EXAMPLES = (
    "import products products.csv --dry-run",
    "import orders orders-2017.csv.gz orders-2018.csv.gz --resume",
    'import products feed.csv --map sku=product_id --set "link=/p/{sku}"',
    "import users - --format csv --json < users.csv",
)

CODES = (
    "0 all is done, 1 some items can't be sent or were refused, 2 wrong options, settings or files,"
    " 3 the API can't be reached or takes nothing, or a disk is full, 130 ended by Ctrl-C."
    " After 3 and 130 the same command with --resume goes on where this one ended."
)


@helped(EXAMPLES, CODES)
def import_(  # noqa: PLR0913  each is an option
    resource: Annotated[
        Literal["products", "categories", "users", "orders", "banners"],
        typer.Argument(help="What the files hold."),
    ],
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="CSV, JSON or JSON lines, plain or gzipped; - is standard input."
        ),
    ],
    *,
    update: Annotated[
        bool, typer.Option("--update", help="Change what is there: only the fields given.")
    ] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Delete by ids; orders are cancelled.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and check everything; send nothing.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an import of the same files that was ended.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget such an import, and begin from the start.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Send nothing if anything can't be sent.")] = False,
    mapped: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help="Which column is which field; repeatable."),
    ] = None,
    fill: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=TEXT", help="What a field is where the file has nothing; repeatable."
        ),
    ] = None,
    platform: Annotated[
        str | None,
        typer.Option(help="woocommerce, shopify, prestashop, opencart, magento or none. Default: found out."),
    ] = None,
    products: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Of products: tells which one an order's SKU means."),
    ] = None,
    form: Annotated[
        Literal["csv", "json", "jsonl"] | None, typer.Option("--format", help="Default: found out.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="As utf-8 or latin-1. Default: found out.")] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="Between a table's cells. Default: found out.")
    ] = None,
    quote: Annotated[str | None, typer.Option(help="Around a table's cells. Default: found out.")] = None,
    decimal: Annotated[
        Literal[".", ","] | None,
        typer.Option(help="Before the cents. Default: found out, where that can be."),
    ] = None,
    concurrency: Annotated[
        int, typer.Option(min=1, max=MAX_CONCURRENCY, help="Batches in flight, at most.")
    ] = 4,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Brings a shop's exports to DataCue, or to the embedded engine."""
    # Here, not above: no other command needs the REST client, and it takes a while to load.
    from proxy.cli.import_report import outcome, summarize
    from proxy.cli.importing import Job, Options

    if update and delete:
        raise SettingsError("--update", "goes not together with --delete", "Say one of them.")
    if resume and fresh:
        raise SettingsError("--resume", "goes not together with --fresh", "Say one of them.")
    if update and resource == "orders":
        raise SettingsError("--update", "is not for orders", "Import them anew, or --delete to cancel them.")
    if products is not None and resource != "orders":
        raise SettingsError("--products", "is for orders", "Leave it out.")
    for option, mark in (("--delimiter", delimiter), ("--quote", quote)):
        if mark is not None and len(_unescaped(mark)) != 1:
            raise SettingsError(option, f"{mark!r} is no single character", "Write one, as ';' or '\\t'.")
    options = Options(
        resource=resource,
        verb="update" if update else "delete" if delete else "create",
        names=tuple(files),
        maps=tuple(mapped or ()),
        fills=tuple(fill or ()),
        platform=platform,
        products=products,
        form=form,
        encoding=encoding,
        delimiter=None if delimiter is None else _unescaped(delimiter),
        quote=quote,
        point=decimal,
        concurrency=concurrency,
        dry_run=dry_run,
        resume=resume,
        fresh=fresh,
        strict=strict,
    )
    console = Console(stderr=True, highlight=False, quiet=as_json, soft_wrap=True)
    job = Job(load(config), options, console, stdin=sys.stdin.buffer)
    end = job.run()
    if as_json:
        typer.echo(outcome(job, end))
    else:
        summarize(job, end)
    raise typer.Exit(end.code)


def _unescaped(mark: str) -> str:
    return "\t" if mark in {"\\t", "tab"} else mark
