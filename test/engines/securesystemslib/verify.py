"""Verifies an archive with docs/format.md alone: nothing here knows the code of this project. The envelopes and the
signatures are read by securesystemslib, the library behind TUF and in-toto. Prints one line for each team and each problem,
and exits with 1 if there is a problem.

    python verify.py PUBLIC_KEY FOLDER
"""
import gzip
import hashlib
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

PAYLOAD_TYPE = "application/vnd.postman-audit-archive.manifest.v1+json"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def read_key(path):
    key = serialization.load_pem_public_key(Path(path).read_bytes())
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return SSlibKey.from_crypto(key, keyid=sha256(spki))


def problems_of_segment(root, entry, batch):
    path = root / entry["key"]
    stored = path.read_bytes() if path.is_file() else b""
    if sha256(stored) != entry["objectSha256"]:
        yield f"{entry['key']}: other bytes than its manifest states"
    member = batch[entry["offset"] : entry["offset"] + entry["length"]]
    if member != stored:
        yield f"{entry['key']}: other bytes than in its batch object"
    lines = gzip.decompress(member) if member else b""
    if sha256(lines) != entry["sha256"] or lines.count(b"\n") != entry["lines"]:
        yield f"{entry['key']}: other lines than its manifest states"


def problems_of_manifest(root, path, key, before):
    envelope = Envelope.from_dict(json.loads(path.read_bytes()))
    try:
        envelope.verify([key], 1)
    except VerificationError:
        yield f"{path.name}: not signed with this key"
    manifest = json.loads(envelope.payload)
    if envelope.payload_type != PAYLOAD_TYPE or path.name != f"{manifest['seq']:010d}.json":
        yield f"{path.name}: not what its name says"
    previous = before[-1] if before else (0, None)
    if (manifest["seq"], manifest["previous"]) != (previous[0] + 1, previous[1]):
        yield f"{path.name}: does not follow the manifest before it"
    before.append((manifest["seq"], sha256(envelope.payload)))
    batch = (root / manifest["batch"]["key"]).read_bytes() if manifest["batch"] else b""
    for entry in manifest["segments"]:
        yield from problems_of_segment(root, entry, batch)


def main(public_key, folder):
    root, key, found = Path(folder), read_key(public_key), []
    for team in sorted((root / "manifests").iterdir()):
        chain = []
        for path in sorted(team.glob("*.json")):
            found += problems_of_manifest(root, path, key, chain)
        print(f"{team.name}: {len(chain)} manifests, head {chain[-1][1]}")
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
