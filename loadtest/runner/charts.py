"""Which plots the page has."""

from . import series
from .plots import figure

SECONDS = "seconds since the load began"
RATE = "arrivals per second"


def of_server(rows):
    """What the server counted of itself, over time."""
    at = [row["at"] for row in rows]
    of = lambda key: list(zip(at, [row[key] for row in rows]))
    over_time = lambda title, unit, lines, log=False: figure(title, SECONDS, unit, lines, log)
    return "".join(
        [
            over_time(
                "Requests by route",
                "per second",
                [(route, list(zip(at, values))) for route, values in series.routes(rows)],
            ),
            over_time(
                "Latency in the server, all routes",
                "ms",
                [("p50", of("p50")), ("p95", of("p95")), ("p99", of("p99"))],
                log=True,
            ),
            over_time("Events appended", "per second", [("events", of("events"))]),
            over_time("Batch size", "commands", [("mean of a batch", of("batch"))]),
            over_time("Time for a batch", "ms", [("decide", of("decide")), ("append", of("append"))], log=True),
            over_time(
                "Lanes: commands that wait, and shed",
                "commands",
                [("inside", of("inside")), ("joining", of("joining")), ("shed per second", of("shed"))],
            ),
            over_time(
                "Room",
                "tokens",
                [("waiting", of("waiting")), ("active", of("active")), ("admitted per second", of("admitted"))],
            ),
            over_time("CPU", "cores", [("server", of("cpu")), ("k6", of("load_cpu"))]),
            over_time("Memory of the server", "MB", [("resident", of("memory"))]),
            over_time("Read models in SQL: the furthest behind", "events", [("lag", of("lag_events"))]),
        ]
    )


def of_ramp(result):
    """Latency, CPU and memory against the rate, with the knee."""
    steps = result["steps"]
    marks = [(result["knee"]["rate"], "knee")] if result["knee"] else []
    of = lambda key: [(step["rate"], step[key]) for step in steps]
    name = result["api"]
    return "".join(
        [
            figure(
                f"{name}: latency",
                RATE,
                "ms",
                [("p50", of("p50")), ("p95", of("p95")), ("p99", of("p99"))],
                True,
                marks,
            ),
            figure(f"{name}: CPU", RATE, "cores", [("server", of("cpu")), ("k6", of("load_cpu"))], False, marks),
            figure(f"{name}: memory of the server", RATE, "MB", [("resident", of("memory"))], False, marks),
        ]
    )
