"""A ramp's steps, and its knee: the highest rate that was still served well."""

from . import series
from .scenarios import RATES, STEP_SECONDS

P95_MILLIS = 200
FAILURES = 0.01
# A step whose arrivals did not come through, since all VUs were waiting, is not served well either.
COME_THROUGH = 0.95


def steps(api, metrics, rows, readings_began):
    """A row for each step that was begun: rate, what came through, latencies in ms, failures, CPU in cores, memory in MB."""
    began = metrics.get("capacity_started_at", {}).get("value", 0) / 1000 - readings_began
    found = []
    for index, rate in enumerate(RATES):
        tags = f"{{name:{api},step:{index}}}"
        requests = metrics.get("http_reqs" + tags, {}).get("count", 0)
        if requests == 0:
            break
        latency, failed = metrics["http_req_duration" + tags], metrics["http_req_failed" + tags]["value"]
        arrived = requests / (rate * STEP_SECONDS)
        p95 = latency["p(95)"]
        start = began + index * STEP_SECONDS
        found.append(
            {
                "rate": rate,
                "answered": requests / STEP_SECONDS,
                "p50": latency["med"],
                "p95": p95,
                "p99": latency["p(99)"],
                "failed": failed,
                **series.between(rows, start, start + STEP_SECONDS),
                "well": p95 < P95_MILLIS and failed < FAILURES and arrived >= COME_THROUGH,
            }
        )
    return found


def knee(found):
    """The highest step that was served well; `None` where none was."""
    return next((step for step in reversed(found) if step["well"]), None)


def reached(found):
    """Why the ramp ended."""
    if not found:
        return "nothing was asked"
    highest = knee(found)
    past = [step for step in found if highest is None or step["rate"] > highest["rate"]]
    if not past:
        return "not reached" if found[-1]["rate"] == RATES[-1] else "what was prepared was used up before"
    first = past[0]
    if first["p95"] >= P95_MILLIS:
        return f"p95 {first['p95']:,.0f} ms at {first['rate']:,}/s"
    if first["failed"] >= FAILURES:
        return f"{100 * first['failed']:.1f} % failed at {first['rate']:,}/s"
    return f"{first['answered']:,.0f}/s came through of {first['rate']:,}/s"
