"""``python -m benchmarks.eval``: the table, and the plot of quality over events seen."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from benchmarks.eval import measures
from benchmarks.eval.baselines import AssociationRules, PlainVmis, PopularItems
from benchmarks.eval.data import Order, Session, read_orders, read_sessions
from benchmarks.eval.latency import percentiles
from benchmarks.eval.ours import EngineBaskets, EngineSessions
from benchmarks.eval.plot import line_chart

HERE = Path(__file__).resolve()
DATA = Path(os.environ.get("DATACUE_TEST_DATA", HERE.parents[3] / "shared" / "data"))
MONTH = 30 * 86_400.0
CLICKS = 70_000
SEEN = (0, 100, 300, 1_000, 3_000, 10_000, 30_000)


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.eval", description=__doc__)
    options.add_argument("--data", type=Path, default=DATA, help="folder with serenade/ and uci-retail/")
    options.add_argument("--sessions", type=Path, help="held-out sessions instead of the validation day")
    options.add_argument("--orders", type=Path, help="orders to learn from instead of uci-retail's")
    options.add_argument("--orders-test", type=Path, help="held-out orders instead of the last 30 days")
    options.add_argument("--plot", type=Path, help="where to write the plot (SVG)")
    options.add_argument("--skip-latency", action="store_true")
    chosen = options.parse_args()
    if not chosen.data.is_dir():
        options.error(f"no data at {chosen.data}: set DATACUE_TEST_DATA or --data")
    train = read_sessions(chosen.data / "serenade" / "train.tsv.gz")
    test = read_sessions(chosen.sessions or chosen.data / "serenade" / "valid.tsv.gz")
    sessions_table(train, test)
    numbers: dict[str, int] = {}
    orders = read_orders(chosen.orders or next((chosen.data / "uci-retail").glob("orders*.csv.gz")), numbers)
    split = orders[-1].time - MONTH
    later = [order for order in orders if order.time > split]
    if chosen.orders_test:
        later = read_orders(chosen.orders_test, numbers)
    else:
        orders = [order for order in orders if order.time <= split]
    orders_table(orders, later)
    if not chosen.skip_latency:
        latency_table(train, test)
    if chosen.plot:
        chosen.plot.write_text(over_events(train, test))
        print(f"\nplot: {chosen.plot}")


def sessions_table(train: list[Session], test: list[Session]) -> None:
    clicks = sum(len(session.items) for session in train)
    print(f"\nNext click, bol.com sessions: {len(train):,} sessions with {clicks:,} clicks seen,")
    print(
        f"{len(test):,} sessions of the following day asked after each click but the last; the current item"
    )
    print("is never listed. Goal: MRR@20 .355 (published VMIS-kNN: .3197).\n")
    header(("HR@20", "MRR@20", "cases"))
    for method in (PopularItems(train), AssociationRules(train), PlainVmis(train), EngineSessions(train)):
        found = measures.next_items(method, test)
        row(method.name, (found.hit_rate, found.reciprocal_rank, found.cases))


def orders_table(train: list[Order], later: list[Order]) -> None:
    test = [order for order in later if len(order.items) > 1]
    print(f"\nBought together, UCI Online Retail: {len(train):,} orders seen, {len(test):,} later ones")
    print(
        f"(30 days) asked. Leave one out: a product drawn (seed {measures.SEED}) from each basket is sought"
    )
    print(
        "from the rest; goals HR@20 .26, MRR@20 .11. One to rest: any of the rest from one; goal HR@10 .64.\n"
    )
    header(("HR@20", "MRR@20", "HR@10 1→rest", "cases"))
    for method in (PopularItems(train), AssociationRules(train), EngineBaskets(train)):
        left = measures.leave_one_out(method, test)
        rest = measures.rest_of_basket(method, test)
        row(method.name, (left.hit_rate, left.reciprocal_rank, rest.hit_rate, left.cases))


def latency_table(train: list[Session], test: list[Session]) -> None:
    print(
        f"\nInside the engine, stored and answered with every list, after {CLICKS:,} clicks; goal p99 2 ms.\n"
    )
    header(("p50 ms", "p99 ms", "p99 CPU ms"))
    for name, figures in percentiles(train, test, CLICKS).items():
        row(name, figures)


def over_events(train: list[Session], test: list[Session]) -> str:
    """A shop that began n clicks before the day that is asked about."""
    total = sum(len(session.items) for session in train)
    lines: dict[str, list[float]] = {}
    seen = [*SEEN, total]
    for count in seen:
        part: list[Session] = []
        clicks = 0
        for session in reversed(train):
            if clicks >= count:
                break
            part.append(session)
            clicks += len(session.items)
        part.reverse()
        for made in (EngineSessions, PlainVmis, AssociationRules, PopularItems):
            method: Any = made(part)
            lines.setdefault(made.name, []).append(measures.next_items(method, test).reciprocal_rank)
    return line_chart(
        "Next click, MRR@20, by clicks seen before the day", "clicks seen", [f"{n:,}" for n in seen], lines
    )


def header(names: tuple[str, ...]) -> None:
    print(f"| {'':20} |" + "|".join(f" {name:>12} " for name in names) + "|")
    print("|" + "-" * 22 + "|" + "|".join("-" * 13 + ":" for _ in names) + "|")


def row(name: str, values: tuple[float, ...]) -> None:
    cells = (f" {value:>12,} " if isinstance(value, int) else f" {value:>12.4f} " for value in values)
    print(f"| {name:20} |" + "|".join(cells) + "|", flush=True)


if __name__ == "__main__":
    main()
