"""The text of a QR code, checked without a network: the command line's way in Python, and the page's way in JavaScript.

Both read the text, take the seal apart, find the published key and check the ES256 signature over it, against keys that
were read before. Target: 2 ms for one code, the median. The page runs in Node here, whose WebCrypto is that of a
browser's kind; the same code runs in Chromium in tests/journeys/test_offline.py.
Run: python -m bench.offline_qr [codes]
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

from tests import offline_samples as made
from tests.running_node import NODE
from xinzheng.adapters.offline import examine_code, keys_in_text

TARGET_MS = 2.0
CORE = Path(__file__).parents[1] / "tests" / "js" / "core.mjs"
SCRIPT = """
import {{ core }} from '{core}'
import {{ readFileSync }} from 'node:fs'
const {{ published, codes }} = JSON.parse(readFileSync('{samples}', 'utf8'))
const keys = core.readKeys(published)
for (const text of codes.slice(0, 20)) await core.examineQrText(text, keys)
const taken = []
for (const text of codes) {{
  const begun = performance.now()
  const facts = await core.examineQrText(text, keys)
  taken.push(performance.now() - begun)
  if (!facts.signature_valid || !facts.signer_trusted) throw new Error('a good code was refused')
}}
console.log(JSON.stringify(taken))
"""


def main() -> None:
    """Print the figures; exit 1 if a median is above the target."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    published = json.dumps(made.published())
    codes = [made.qr(digest=number.to_bytes(32, "big")) for number in range(count)]
    ours = {"Python": _python(published, codes), "JavaScript": _javascript(published, codes)}
    print(f"QR codes checked off line: {count}, {len(codes[0])} characters each")
    for name, taken in ours.items():
        print(f"{name:>12}: median {median(taken):.3f} ms, 95 of 100 within {quantiles(taken, n=20)[-1]:.3f} ms")
    slowest = max(median(taken) for taken in ours.values())
    print(f"target {TARGET_MS} ms: {'kept' if slowest <= TARGET_MS else 'missed'}")
    sys.exit(slowest > TARGET_MS)


def _python(published: str, codes: list[str]) -> list[float]:
    keys = keys_in_text(published)
    for text in codes[:20]:
        examine_code(text, keys)
    taken = []
    for text in codes:
        begun = time.perf_counter()
        facts = examine_code(text, keys)
        taken.append((time.perf_counter() - begun) * 1000)
        assert facts.signature_valid
        assert facts.signer_trusted
    return taken


def _javascript(published: str, codes: list[str]) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        samples, script = Path(folder, "samples.json"), Path(folder, "bench.mjs")
        samples.write_text(json.dumps({"published": json.loads(published), "codes": codes}), encoding="utf-8")
        script.write_text(SCRIPT.format(core=CORE.as_uri(), samples=samples), encoding="utf-8")
        run = subprocess.run([NODE, script], capture_output=True, text=True, check=True)
    taken: list[float] = json.loads(run.stdout)
    return taken


if __name__ == "__main__":
    main()
