"""The corpus of changed reports, which the product refuses, is refused by the page that needs no server as well."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from tests import offline_samples as made
from tests.corpus import Samples, corpus
from tests.offline_samples import SIGNED_AT, certificate_entry, in_base64, published
from tests.running_node import run_node
from tests.small_pki import SmallPki


def test_not_one_of_all_changed_reports_passes(tmp_path: Path) -> None:
    # In a thread of its own: a browser of an earlier test may keep its event loop in this one, and signing starts one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(write_corpus, tmp_path).result()
    run_node("corpus.test.mjs", tmp_path)


def write_corpus(folder: Path) -> None:
    """All changed reports one after the other in one file, and where each stands in it."""
    pki = SmallPki(SIGNED_AT)
    signed, other = (pki.signed(made.unsigned(), SIGNED_AT + timedelta(seconds=n), pki.crl()) for n in (0, 1))
    samples = Samples(pki, made.unsigned(), signed, pki.stamped(signed, SIGNED_AT + timedelta(seconds=2)), other)
    listed: dict[str, list[dict[str, object]]] = {"good": [], "changed": []}
    good = (("signed", samples.signed), ("stamped", samples.stamped), ("other", samples.other))
    with (folder / "corpus.bin").open("wb") as file:
        for kind, files in (("good", good), ("changed", corpus(samples))):
            for name, pdf in files:
                listed[kind].append({"name": name, "from": file.tell(), "length": len(pdf)})
                file.write(pdf)
    keys = published(
        certificate_entry(pki.root, "root"), certificate_entry(pki.stamper, "stamp"), crls=[in_base64(pki.crl())]
    )
    (folder / "corpus.json").write_text(json.dumps({"keys": keys, **listed}), encoding="utf-8")
