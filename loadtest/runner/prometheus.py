"""Reads `GET /metrics`, and tells what happened between two readings."""

import re

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="([^"]*)"')
ID = re.compile(r"\{\w+\}")
HTTP_SECONDS = "reprise_http_request_duration_seconds"
# Routes that clients load; /metrics itself is asked by the runner.
CLIENT_ROUTES = "/api/"


def parse(text):
    """Each sample as (name, labels) -> value; labels as a tuple of pairs."""
    found = {}
    for line in text.splitlines():
        sample = SAMPLE.match(line)
        if sample:
            name, labels, value = sample.groups()
            found[name, tuple(LABEL.findall(labels or ""))] = float(value)
    return found


def total(reading, name, **labels):
    """The sum of a family's samples that have these labels."""
    wanted = set(labels.items())
    return sum(value for (family, has), value in reading.items() if family == name and wanted <= set(has))


def largest(reading, name):
    return max((value for (family, _), value in reading.items() if family == name), default=0.0)


def by_route(reading):
    """Requests answered so far, by method and route."""
    counts = {}
    for (family, labels), value in reading.items():
        has = dict(labels)
        if family == "reprise_http_requests_total" and has["route"].startswith(CLIENT_ROUTES):
            route = f"{has['method']} {ID.sub('…', has['route'][len('/api') :])}"
            counts[route] = counts.get(route, 0.0) + value
    return counts


def latency_buckets(reading):
    """Requests on clients' routes so far that took at most so many seconds, by that bound."""
    buckets = {}
    for (family, labels), value in reading.items():
        has = dict(labels)
        if family == HTTP_SECONDS + "_bucket" and has["route"].startswith(CLIENT_ROUTES):
            bound = float(has["le"].replace("+Inf", "inf"))
            buckets[bound] = buckets.get(bound, 0.0) + value
    return buckets


def quantile(share, before, after):
    """The latency that this share of the requests between two readings did not pass, in seconds, as Prometheus'
    histogram_quantile has it: linear within a bucket; `None` where there were none."""
    bounds = sorted(after)
    counts = [after[bound] - before.get(bound, 0.0) for bound in bounds]
    if not bounds or counts[-1] <= 0:
        return None
    rank, below, low = share * counts[-1], 0.0, 0.0
    for bound, count in zip(bounds, counts):
        if count >= rank:
            if bound == float("inf"):
                return low
            return low + (bound - low) * (rank - below) / max(count - below, 1e-9)
        below, low = count, bound
    return low
