"""`docs/reference/metrics.md`: every Prometheus metric of a process, with its labels, from where it is declared."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import agentmessage
from agentmessage.app.monitoring.gauges import HELP, LABELS

SOURCE = Path(agentmessage.__file__).parent
PREFIX = "agentmessage_"
KINDS = {"Counter": "counter", "Gauge": "gauge", "Histogram": "histogram"}
HEAD = """\
# Metrics

This page is generated (`make generate`) from the code that declares the metrics. `GET /metrics` of every API process
returns them in the format of Prometheus. [Monitoring](../operations/monitoring.md) says when to alert.

One worker counts the gauges with the label `cell`, `account` or `worker` once a minute; every API process exports the
last counts. Counters and histograms are of the process that exports them.

| metric | type | labels | description |
|---|---|---|---|
"""


class Metric(NamedTuple):
    """One line of the table."""

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str


def page() -> str:
    """The whole page."""
    return HEAD + "".join(f"| {' | '.join(_cells(metric))} |\n" for metric in every_metric())


def _cells(metric: Metric) -> tuple[str, ...]:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"`{metric.name}`", metric.kind, labels or "-", metric.text


def every_metric() -> list[Metric]:
    """Every metric by its name, as Prometheus shows it."""
    gauges = [Metric(PREFIX + name, "gauge", LABELS[name], text) for name, text in HELP.items()]
    return sorted([*gauges, *(metric for file in SOURCE.rglob("*.py") for metric in _declared(file))])


def _declared(file: Path) -> Iterator[Metric]:
    source = file.read_text()
    if PREFIX not in source:
        return
    for call in ast.walk(ast.parse(source)):
        match call:
            case ast.Call(
                func=ast.Name(id=kind), args=[ast.Constant(value=str(name)), ast.Constant(value=str(text)), *rest]
            ):
                if kind in KINDS and name.startswith(PREFIX):
                    labels: tuple[str, ...] = tuple(ast.literal_eval(rest[0])) if rest else ()
                    yield Metric(f"{name}_total" if kind == "Counter" else name, KINDS[kind], labels, text)
            case _:
                pass
