"""The server's own books after a run, read from the log by the program's tools."""

import json
import subprocess


class Books:
    """What the log in a folder says. Nobody serves it any more."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.audit_exit, self.audit = self.ask("audit", "all")
        stat = self.ask("log", "stat")[1] or {}
        self.events = {name: each["events"] for name, each in stat.get("types", {}).items()}
        self.sales = (self.ask("show", "sales")[1] or {}).get("sales", [])

    def ask(self, *command):
        asked = subprocess.run(
            [self.program, *command, "--json", "--data", self.folder], capture_output=True, text=True
        )
        try:
            return asked.returncode, json.loads(asked.stdout or "null")
        except ValueError:
            return asked.returncode, None

    @property
    def totals(self):
        return (self.audit or {}).get("totals") or {"charged": -1, "balances": 0, "takings": 0}

    def count(self, event):
        return self.events.get(event, 0)

    def seats(self, what, concert=None):
        """`sold`, `held` or `seatsTotal`, of one concert or of all."""
        return sum(each[what] for each in self.sales if concert in (None, each["concertId"]))
