"""The scenarios: script, server, and what the books must say of each afterwards."""

from dataclasses import dataclass, field
from typing import Callable

from .claims import claim, equal, figure

APIS = ["token", "charge", "balance", "concerts", "concert", "dates", "seats", "reservation", "payment"]
# A threshold that fails ends a ramp, and so do payments that run out: neither is a fault.
RAMP_EXITS = (0, 99, 108)
RATES = [500, 700, 1000, 1400, 2000, 2800, 4000, 5600, 8000, 11200, 16000]
STEP_SECONDS = 3
# Seats for those who reserve and pay in a ramp: concert 1001, so many schedules from 1001 on, so many seats each.
STADIUM = (1001, 200, 1000)
# Holds that are made before the ramp of payments.
PREPARED_PAYMENTS = 80_000


# What an answer to a command of a ramp leaves in the log.
EVENTS = {"token": "TokenIssued", "charge": "PointsCharged", "reservation": "SeatsHeld", "payment": "ReservationPaid"}


def nothing(counted, books):
    """No claims."""
    return []


@dataclass
class Scenario:
    name: str
    load: str
    script: str
    environment: dict = field(default_factory=dict)
    arguments: list = field(default_factory=list)
    # Claims from what k6 counted and what the books say.
    books: Callable = nothing
    needs_stadium: bool = False
    exits: tuple = (0,)
    # Of a ramp: which API.
    api: str = ""


class Counted:
    """k6's counters by name."""

    def __init__(self, metrics):
        self.metrics = metrics

    def __call__(self, name):
        return self.metrics.get(name, {}).get("count", 0)


def tokens(counted, books):
    fixed = sum(counted(f"fixed_token_{user}") > 0 for user in (1, 2, 3))
    distinct = books.count("TokenIssued") + fixed
    return [
        figure("requests", f"{counted('http_reqs'):,.0f}", "its origin: 2,904"),
        figure("distinct tokens", f"{distinct:,}", "its origin: 1,866"),
        claim("the same token for who asks again", "at most 3,000", f"{distinct:,}", distinct <= 3000),
    ]


def seats(counted, books):
    return [figure("requests", f"{counted('http_reqs'):,.0f}", "its origin dropped 32 arrivals")]


def reservation(counted, books):
    return [
        equal("books: holds", books.count("SeatsHeld"), 1),
        equal("books: seats held", books.seats("held"), 1),
    ]


def charge(counted, books):
    charged = counted("points_charged")
    return [
        figure("successes", f"{charged / 1000:,.0f}"),
        equal("the balance grew by 1,000 x successes", counted("balance_growth"), charged),
        equal("books: points charged", books.totals["charged"], charged),
        equal("books: charges", books.count("PointsCharged"), charged / 1000),
    ]


def journey(counted, books):
    ended = books.count("ReservationPaid") + books.count("HoldCancelled") + books.count("HoldExpired")
    unpaid = counted("holds_walked_away_from") + counted("paid_too_late")
    return [
        equal(
            "books: payments are the purchases that clients saw", books.count("ReservationPaid"), counted("purchases")
        ),
        equal("books: seats sold, each once", books.seats("sold"), counted("purchases")),
        equal("books: takings are what clients paid", books.totals["takings"], counted("points_paid")),
        equal("books: holds given back", books.count("HoldCancelled"), counted("holds_cancelled")),
        equal("books: holds over or still held", books.count("HoldExpired") + books.seats("held"), unpaid),
        equal("books: each hold has one end or is held", ended + books.seats("held"), books.count("SeatsHeld")),
    ]


def rush(counted, books):
    full = sum(each["sold"] == each["seatsTotal"] for each in books.sales if each["concertId"] == 1)
    proofs = (books.audit or {}).get("proofs", [])
    line = next((each for each in proofs if each["proof"] == "placesWereKept"), None)
    waited = counted.metrics.get("seconds_in_line", {})
    return [
        equal("books: seats sold, each once", books.seats("sold", 1), counted("seats_sold")),
        equal("books: schedules sold out", full, 300),
        equal("books: payments", books.count("ReservationPaid"), counted("seats_sold")),
        equal("books: takings are what clients paid", books.totals["takings"], counted("points_paid")),
        claim(
            "books: the order of the line, capacity and pace",
            "0 violated",
            f"{line['violated']} of {line['checked']:,} checks" if line else "not told",
            bool(line) and line["violated"] == 0,
        ),
        figure("polls of the queue", f"{counted('http_reqs{name:queue}'):,.0f}"),
        figure(
            "time in line",
            f"p50 {waited.get('med', 0):.1f} s, p95 {waited.get('p(95)', 0):.1f} s, longest {waited.get('max', 0):.1f} s",
        ),
    ]


def told_in_a_ramp(event):
    """What was answered is in the log. A ramp is cut off, so there may be more: what k6 no longer waited for."""

    def claims(counted, books):
        told = counted.metrics.get("checks", {}).get("passes", 0)
        found = books.count(event)
        return [claim(f"books: {event}", f"≥ {told:,}", f"{found:,}", found >= told)]

    return claims


def ramp(api):
    environment = {
        "API": api,
        "RATES": ",".join(map(str, RATES)),
        "STEP_SECONDS": str(STEP_SECONDS),
        "STADIUM": ",".join(map(str, STADIUM)),
        "PREPARED": str(PREPARED_PAYMENTS),
    }
    load = "arrivals in steps until p95 passes 200 ms or 1 % fail"
    return Scenario(
        f"capacity-{api}",
        load,
        "capacity.js",
        environment,
        books=told_in_a_ramp(EVENTS[api]) if api in EVENTS else nothing,
        needs_stadium=api in ("reservation", "payment"),
        exits=RAMP_EXITS,
        api=api,
    )


SCENARIOS = {
    each.name: each
    for each in [
        Scenario(
            "reservation",
            "50 users at once for one seat, on a server just started",
            "reservation.js",
            {"USERS": "50"},
            books=reservation,
        ),
        Scenario(
            "reservation-one",
            "one user, 50 times at once for one seat, on a server just started",
            "reservation.js",
            {"USERS": "1"},
            books=reservation,
        ),
        Scenario("tokens", "100 VUs for 30 s, user ids drawn from 1..3000, 1 s pause", "tokens.js", books=tokens),
        Scenario("seats", "50 arrivals a second for 5 s, 1 s pause", "seats.js", books=seats),
        Scenario("charge", "10 VUs for 5 s, 1,000 points each, one wallet", "charge.js", books=charge),
        Scenario(
            "journey",
            "whole purchases, arrivals up to 100 a second; some leave, some pay late",
            "journey.js",
            books=journey,
        ),
        Scenario(
            "rush",
            "20,000 people for 15,000 seats through a room of 1,000",
            "rush.js",
            arguments=["--capacity", "1000"],
            books=rush,
        ),
        *map(ramp, APIS),
    ]
}
# What stands for several.
GROUPS = {"capacity": [f"capacity-{api}" for api in APIS]}
