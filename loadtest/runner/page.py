"""The report's page: one file that needs no network. Tables of what must hold beside what was measured, and plots."""

import html
import re
from pathlib import Path

from . import charts

STYLE = Path(__file__).with_name("page.css")
# Trends of the scripts' own and of single routes, in this order.
COLUMNS = [("med", "p50"), ("p(95)", "p95"), ("p(99)", "p99"), ("max", "slowest")]
# A plot of fewer readings says nothing.
FEWEST_READINGS = 5


def rounded(value):
    """Figures with as many digits as they are worth."""
    if isinstance(value, float):
        return float(f"{value:.4g}") if abs(value) < 1e6 else round(value)
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value


def render(facts, results):
    scenarios = [result for result in results if not result["api"]]
    ramps = [result for result in results if result["api"]]
    sections = [summary(results), *map(scenario, scenarios)]
    if ramps:
        sections.append(capacity(ramps))
    terms = "".join(f"<dt>{name}</dt><dd>{html.escape(said)}</dd>" for name, said in facts.items() if name != "command")
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width,initial-scale=1'><title>Reprise under load</title>"
        f"<style>{STYLE.read_text()}</style></head><body><main><h1>Reprise under load</h1>"
        "<p class=soft>What clients saw (k6), what the server counted of itself (<code>/metrics</code>), and what its "
        "log says afterwards. Server and load share this machine, so figures compare within this page, not with other "
        "machines'.</p>"
        f"<dl><dt>command</dt><dd><code>{html.escape(facts['command'])}</code></dd>{terms}</dl>{''.join(sections)}</main></body></html>\n"
    )


def table(head, rows, text=()):
    """A table; the first column, and those in `text`, are words."""
    kind = lambda index: " class=text" if index in text else ""
    header = "".join(f"<th{kind(index)} scope=col>{name}</th>" for index, name in enumerate(head))
    body = "".join(
        f"<tr><th scope=row>{row[0]}</th>"
        + "".join(f"<td{kind(index)}>{cell}</td>" for index, cell in enumerate(row[1:], 1))
        + "</tr>"
        for row in rows
    )
    return f"<div class=wide><table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table></div>"


def verdict(holds):
    if holds is None:
        return "<span class=soft>told</span>"
    return "<span class='holds yes'>✓ holds</span>" if holds else "<span class='holds no'>✗ fails</span>"


def badge(green):
    return "<span class='badge yes'>green</span>" if green else "<span class='badge no'>red</span>"


def millis(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 else f"{value:,.2f}"


def counts(metrics):
    requests, failed = metrics.get("http_reqs", {}), metrics.get("http_req_failed", {})
    return requests.get("count", 0), 100 * failed.get("value", 0)


def summary(results):
    rows = []
    for result in results:
        requests, failed = counts(result["metrics"])
        latency = result["metrics"].get("http_req_duration", {})
        holding = [each for each in result["claims"] if each["holds"] is not None]
        held = sum(each["holds"] for each in holding)
        rows.append(
            [
                f"<a href='#{result['name']}'>{result['name']}</a>",
                badge(result["green"]),
                html.escape(result["load"]),
                f"{requests:,.0f}",
                millis(latency.get("p(95)")),
                f"{failed:.2g} %",
                f"{result['seconds']:,.0f}",
                f"{held} of {len(holding)}",
            ]
        )
    head = ["scenario", "", "load", "requests", "p95 of all, ms", "failed", "took, s", "claims that hold"]
    return "<h2>All scenarios</h2>" + table(head, rows, text=(1, 2))


def scenario(result):
    claims = [
        [html.escape(each["what"]), html.escape(each["must"]), html.escape(each["measured"]), verdict(each["holds"])]
        for each in result["claims"]
    ]
    parts = [
        f"<h2 id='{result['name']}'>{result['name']}{badge(result['green'])}</h2><p class=soft>{html.escape(result['load'])}.</p>",
        table(["", "must hold", "measured", ""], claims, text=(3,)),
        latencies(result["metrics"]),
        proofs(result["proofs"]),
    ]
    if len(result["over_time"]) < FEWEST_READINGS:
        parts.append("<p class=soft>The run was too short to plot over time.</p>")
    else:
        parts.append(f"<h3>The server's own metrics</h3><div class=plots>{charts.of_server(result['over_time'])}</div>")
    return "".join(parts)


def latencies(metrics):
    rows = []
    for name, metric in sorted(metrics.items()):
        if name.startswith("http_req_duration{name:") and "med" in metric:
            rows.append([name[len("http_req_duration{name:") : -1], *(millis(metric[column]) for column, _ in COLUMNS)])
    every = metrics.get("http_req_duration", {})
    if "med" in every:
        rows.append(["all requests", *(millis(every[column]) for column, _ in COLUMNS)])
    return "<h3>Latency as clients saw it, ms</h3>" + table(["route", *(shown for _, shown in COLUMNS)], rows)


def words(name):
    """`noSeatSoldTwice` as `no seat sold twice`."""
    return re.sub("([A-Z])", r" \1", name).lower()


def proofs(found):
    rows = [
        [words(each["proof"]), f"{each['checked']:,}", f"{each['violated']:,}", verdict(each["ok"])] for each in found
    ]
    return (
        f"<details><summary>The audit's proofs, one by one</summary>{table(['proof', 'checked', 'violated', ''], rows, text=(3,))}</details>"
        if rows
        else ""
    )


def capacity(ramps):
    rows = []
    for result in ramps:
        knee = result["knee"] or {}
        figures = [millis(knee.get(each)) for each in ("p50", "p95", "p99")]
        rows.append(
            [
                f"<a href='#{result['name']}'>{result['api']}</a>",
                f"{knee['rate']:,}" if knee else "below the first step",
                *figures,
                f"{100 * knee['failed']:.2g} %" if knee else "–",
                cores(knee.get("cpu")),
                cores(knee.get("load_cpu")),
                f"{knee['memory']:,.0f}" if knee.get("memory") else "–",
                html.escape(result["reached"]),
            ]
        )
    head = [
        "API",
        "knee: arrivals/s",
        *SERVED,
        "ended by",
    ]
    intro = (
        "<h2 id=capacity>Capacity: the knee of each API</h2><p class=soft>Arrivals go up in steps of three seconds and "
        "come whether or not others were answered, until p95 passes 200 ms or 1 % fail. The knee is the highest step that "
        "was served well: neither of these, and 95 % of the arrivals came through. Where k6 "
        "takes more of the machine than the server, the knee is k6's: the server alone can take more.</p>"
    )
    return intro + table(head, rows, text=(9,)) + "".join(map(one_ramp, ramps))


# What is told of a step, beside how many arrived.
SERVED = ["p50, ms", "p95, ms", "p99, ms", "failed", "server, cores", "k6, cores", "server, MB"]


def cores(value):
    return "–" if value is None else f"{value:.2f}"


def one_ramp(result):
    steps = [
        [
            f"{step['rate']:,}",
            f"{step['answered']:,.0f}",
            *(millis(step[each]) for each in ("p50", "p95", "p99")),
            f"{100 * step['failed']:.2g} %",
            cores(step["cpu"]),
            cores(step["load_cpu"]),
            f"{step['memory']:,.0f}" if step["memory"] else "–",
            verdict(step["well"]).replace("holds", "well").replace("fails", "past the knee"),
        ]
        for step in result["steps"]
    ]
    head = [
        "arrivals/s",
        "answered/s",
        *SERVED,
        "",
    ]
    broken = [each for each in result["claims"] if each["holds"] is False]
    faults = "".join(f"<p class=no>{html.escape(each['what'])}: {html.escape(each['measured'])}</p>" for each in broken)
    return (
        f"<h3 id='{result['name']}'>{result['api']}{badge(result['green'])}</h3>{faults}<div class=plots>{charts.of_ramp(result)}</div>"
        f"<details><summary>Each step</summary>{table(head, steps, text=(9,))}</details>{proofs(result['proofs'])}"
    )
