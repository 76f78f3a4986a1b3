"""k6: found or built, and run."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "v1.8.1"
# One trend's figures in the report.
TRENDS = "med,p(95),p(99),max"
# Without the tag `url`, each user's path would be a time series of its own.
TAGS = "name,status,expected_response,scenario"


def find():
    """The path of k6, built once if it is missing."""
    found = shutil.which("k6")
    if found:
        return found
    go = shutil.which("go")
    if go is None:
        sys.exit(
            f"k6 is not installed, and neither is Go, to build it with. Either put k6 {VERSION} on the PATH, or install "
            "Go (https://go.dev/dl) and run this again."
        )
    built = (
        Path(subprocess.run([go, "env", "GOPATH"], check=True, capture_output=True, text=True).stdout.strip())
        / "bin"
        / "k6"
    )
    bin_folder = subprocess.run([go, "env", "GOBIN"], check=True, capture_output=True, text=True).stdout.strip()
    built = Path(bin_folder) / "k6" if bin_folder else built
    if not built.exists():
        print(f"k6 {VERSION} is built, once", flush=True)
        if subprocess.run([go, "install", f"go.k6.io/k6@{VERSION}"]).returncode != 0:
            sys.exit(f"`go install go.k6.io/k6@{VERSION}` failed: see above")
    return str(built)


def version(program):
    """As it says itself: `v1.8.1 (…)`."""
    said = subprocess.run([program, "version"], capture_output=True, text=True).stdout.split()
    return said[1] if len(said) > 1 else "unknown"


def run(program, script, environment, server, folder):
    """Runs a script against the server: its exit code, and its metrics."""
    summary = Path(folder) / "summary.json"
    command = [program, "run", "--quiet", "--no-usage-report", "--address", "127.0.0.1:0", "--summary-export", summary]
    command += ["--summary-trend-stats", TRENDS, "--system-tags", TAGS]
    for key, value in {**environment, "BASE_URL": server.address}.items():
        command += ["-e", f"{key}={value}"]
    process = subprocess.Popen([*command, script], cwd=folder)
    server.load_pid = process.pid
    try:
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    finally:
        server.load_pid = None
    return code, json.loads(summary.read_text())["metrics"] if summary.exists() else {}
