"""The server under load: started on a folder of its own, sampled while it runs, stopped by its process id."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request

from . import prometheus

SAMPLE_SECONDS = 1.0
STOP_SECONDS = 30
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """CPU time of another process, where the system tells (Linux); else `None`."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / TICKS_PER_SECOND
    except (OSError, ValueError):
        return None


class Server:
    """`reprise serve --demo`; its address is known once it listens."""

    def __init__(self, program, folder, arguments):
        self.folder, self.address, self.said, self.load_pid = folder, None, [], None
        command = [program, "serve", "--demo", "--listen", "127.0.0.1:0", "--data", folder, *arguments]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            self.said.append(line)
            listening = re.search(r"listening on (http://\S+)", line)
            if listening:
                self.address = listening.group(1)
                break
        if self.address is None:
            sys.exit("the server did not start:\n" + "".join(self.said))
        threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True).start()
        # What it did to get here (the demo's catalogue) is not the load's: the first reading is subtracted.
        self.readings, self.running = [self.read()], True
        self.sampler = threading.Thread(target=self.sample, daemon=True)
        self.sampler.start()

    def read(self):
        text = urllib.request.urlopen(self.address + "/metrics", timeout=5).read().decode()
        load_cpu = cpu_seconds(self.load_pid) if self.load_pid else None
        return {"at": time.time(), "metrics": prometheus.parse(text), "load_cpu": load_cpu}

    def sample(self):
        while self.running:
            time.sleep(SAMPLE_SECONDS)
            try:
                self.readings.append(self.read())
            except OSError:
                pass

    def stop(self):
        """Ends it in order, and tells its exit code."""
        self.running = False
        self.sampler.join()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
