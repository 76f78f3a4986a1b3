"""What the page plots over time, from the readings of /metrics."""

from . import prometheus
from .prometheus import total

# Routes that get a line of their own; the others are one.
MOST_ROUTES = 6


def over_time(readings):
    """A row for each interval between two readings; `at` in seconds since the first."""
    rows = [row(before, after, readings[0]["at"]) for before, after in zip(readings, readings[1:])]
    return [each for each in rows if each is not None]


def row(before, after, started):
    seconds = after["at"] - before["at"]
    if seconds <= 0.05:
        return None
    old, new = before["metrics"], after["metrics"]
    grown = lambda name, **labels: total(new, name, **labels) - total(old, name, **labels)
    mean = lambda name: grown(name + "_sum") / grown(name + "_count") if grown(name + "_count") else None
    routes, routes_before = prometheus.by_route(new), prometheus.by_route(old)
    buckets, buckets_before = prometheus.latency_buckets(new), prometheus.latency_buckets(old)
    millis = lambda value: None if value is None else 1000 * value
    load_cpu = None
    if before["load_cpu"] is not None and after["load_cpu"] is not None:
        load_cpu = (after["load_cpu"] - before["load_cpu"]) / seconds
    return {
        "at": after["at"] - started,
        "seconds": seconds,
        "requests": {route: (count - routes_before.get(route, 0)) / seconds for route, count in routes.items()},
        "p50": millis(prometheus.quantile(0.5, buckets_before, buckets)),
        "p95": millis(prometheus.quantile(0.95, buckets_before, buckets)),
        "p99": millis(prometheus.quantile(0.99, buckets_before, buckets)),
        "events": grown("reprise_log_position") / seconds,
        "batch": mean("reprise_batch_commands"),
        "decide": millis(mean("reprise_batch_decide_duration_seconds")),
        "append": millis(mean("reprise_batch_append_duration_seconds")),
        "inside": total(new, "reprise_lane_length", lane="inside"),
        "joining": total(new, "reprise_lane_length", lane="joining"),
        "shed": grown("reprise_commands_total", outcome="overloaded") / seconds,
        "waiting": total(new, "reprise_room_waiting"),
        "active": total(new, "reprise_room_active"),
        "admitted": grown("reprise_room_admitted_total") / seconds,
        "cpu": grown("process_cpu_seconds_total") / seconds,
        "load_cpu": load_cpu,
        "memory": total(new, "process_resident_memory_bytes") / 1e6,
        "lag_events": prometheus.largest(new, "reprise_projection_lag_events"),
    }


def routes(rows):
    """The routes that were asked most, and lines for them: [(route, values)]."""
    sums = {}
    for each in rows:
        for route, rate in each["requests"].items():
            sums[route] = sums.get(route, 0) + rate
    asked = [route for route in sorted(sums, key=sums.get, reverse=True) if sums[route] > 0]
    shown, others = asked[:MOST_ROUTES], asked[MOST_ROUTES:]
    lines = [(route, [each["requests"].get(route, 0) for each in rows]) for route in shown]
    if others:
        lines.append(("others", [sum(each["requests"].get(route, 0) for route in others) for each in rows]))
    return lines


def between(rows, start, end):
    """The mean CPU of server and load in cores, and the most memory in MB, from one time to another."""
    inside = [each for each in rows if start < each["at"] and each["at"] - each["seconds"] < end]
    if not inside:
        return {"cpu": None, "load_cpu": None, "memory": None}
    loads = [each["load_cpu"] for each in inside if each["load_cpu"] is not None]
    return {
        "cpu": sum(each["cpu"] for each in inside) / len(inside),
        "load_cpu": sum(loads) / len(loads) if loads else None,
        "memory": max(each["memory"] for each in inside),
    }
