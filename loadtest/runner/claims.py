"""What must hold, beside what was measured: the scripts' thresholds, and what clients were told against the books."""

import re

THRESHOLD = re.compile(r"^(.+?)(<=|>=|==|<|>)(.+)$")
SIGNS = {"<=": "≤ ", ">=": "≥ ", "==": "", "<": "< ", ">": "> "}
STATISTICS = {"p(95)": "p95", "p(99)": "p99", "med": "p50", "max": "slowest"}
NAMES = {
    "http_req_duration": "all requests",
    "http_req_failed": "requests failed",
    "dropped_iterations": "arrivals dropped",
    "checks": "answers as expected",
}


def claim(what, must, measured, holds):
    """One line of a scenario's table; `holds` is `None` where nothing must."""
    return {"what": what, "must": must, "measured": measured, "holds": holds}


def figure(what, measured, beside=""):
    """A line that is only told, with what to compare it to."""
    return claim(what, beside, measured, None)


def equal(what, measured, expected, unit=""):
    """What clients were told equals what the books say."""
    return claim(what, f"{expected:,.0f}{unit}", f"{measured:,.0f}{unit}", measured == expected)


def of_thresholds(metrics):
    """Each threshold of the script that can fail."""
    found = []
    for name, metric in metrics.items():
        for threshold, failed in metric.get("thresholds", {}).items():
            statistic, sign, bound = THRESHOLD.match(threshold).groups()
            if sign == ">=" and float(bound) == 0:
                continue
            found.append(claim(subject(name, statistic), *shown(statistic, sign, float(bound), metric), not failed))
    return sorted(found, key=lambda each: (not each["what"].endswith(": p95"), each["what"]))


def subject(name, statistic):
    tag = re.search(r"\{name:([^,}]+)", name)
    base = name.split("{")[0]
    if base == "http_reqs":
        return f"requests: {tag.group(1)}"
    what = tag.group(1) if tag else NAMES.get(base, base.replace("_", " "))
    return f"{what}: {STATISTICS[statistic]}" if statistic in STATISTICS else what


def shown(statistic, sign, bound, metric):
    """What must hold and what was measured, with units."""
    if statistic == "rate":
        return f"{SIGNS[sign]}{100 * bound:g} %", f"{100 * metric.get('value', 0):.3g} %"
    if statistic == "count":
        return f"{SIGNS[sign]}{bound:,.0f}", f"{metric.get('count', 0):,.0f}"
    return f"{SIGNS[sign]}{bound:g} ms", f"{metric.get(statistic, 0):,.2f} ms"


def of_books(books, server_exit, k6_exit, accepted_exits):
    """What holds of every run."""
    proofs = (books.audit or {}).get("proofs", [])
    models = (books.audit or {}).get("readModels", [])
    checked, violated = sum(each["checked"] for each in proofs), sum(each["violated"] for each in proofs)
    differing = sum(bool(each["differences"]) for each in models)
    totals = books.totals
    broken = (books.audit or {"broken": "it could not be read"}).get("broken")
    audited = books.audit_exit == 0 and bool(books.audit) and books.audit["ok"]
    return [
        claim("k6's exit code", " or ".join(map(str, accepted_exits)), str(k6_exit), k6_exit in accepted_exits),
        claim("the server's exit code after SIGTERM", "0", str(server_exit), server_exit == 0),
        claim(
            "audit all",
            "nothing violated, no read model differs",
            f"{len(proofs)} proofs, {checked:,} checks: {violated} violated; {len(models)} read models: {differing} differ"
            + (f"; broken: {broken}" if broken else ""),
            audited and violated == 0 and differing == 0,
        ),
        equal("points charged = balances + takings", totals["charged"], totals["balances"] + totals["takings"]),
    ]
