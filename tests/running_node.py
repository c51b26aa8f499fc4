"""Tests written for Node, run from here on samples made here; the Node is the one that Playwright brings."""

import os
import subprocess
from pathlib import Path

import playwright

NODE = Path(playwright.__file__).parent / "driver" / "node"
SCRIPTS = Path(__file__).parent / "js"


def run_node(script: str, samples: Path | None = None) -> None:
    """Run a file of tests; what failed is shown."""
    run = subprocess.run(
        [NODE, "--test", "--test-reporter=tap", SCRIPTS / script],
        env=os.environ | ({"XINZHENG_SAMPLES": str(samples)} if samples else {}),
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert "# pass 0" not in run.stdout
