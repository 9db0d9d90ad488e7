#!/usr/bin/env bash
# Every template of the matrix through checkov. What it finds must be the list below, in which each finding has a reason: a
# new finding fails, and so does a reason whose finding is gone. checkov is pinned, comes from PyPI, and is kept between runs.
set -euo pipefail
cd "$(dirname "$0")/../.."

acknowledged='
CKV_AWS_115 ArchiverFunction    A lease keeps runs of one team apart, and a new account has no concurrency to reserve.
CKV_AWS_116 ArchiverFunction    The log and the alarm silent tell of failed runs, and the next run does their work.
CKV_AWS_115 VerifierFunction    It runs once a day, and a new account has no concurrency to reserve.
CKV_AWS_116 VerifierFunction    The next day does the work, and the alarm unverified tells if no day did.
CKV_AWS_117 VerifierFunction    It calls AWS alone and accepts no connection, so that a VPC would only add endpoints to pay for.
CKV_AWS_173 VerifierFunction    The environment holds three names and no secret, under a key of Lambda itself.
CKV_AWS_117 ArchiverFunction    It calls a public API and accepts no connection, so that a VPC would only add a NAT gateway.
CKV_AWS_119 StorageCheckpoints  It holds no event, only a hint for each team, under a key of DynamoDB itself.
CKV_AWS_173 ArchiverFunction    The environment holds names and settings and no secret, under a key of Lambda itself.
CKV_AWS_18  StorageAccessLogs   A bucket that logged into itself would log without end.
CKV_AWS_27  SchedulesUnhandled  SQS encrypts it with a key of its own, which this check does not know.
'

version=3.3.30
venv=${XDG_CACHE_HOME:-$HOME/.cache}/postman-audit-archive/checkov-$version
if [[ ! -x $venv/bin/checkov ]]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "checkov==$version"
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npx --no-install tsx test/infra/write-templates.ts "$folder/templates"

# Without --skip-download it would ask its maker's server for texts about its checks. --soft-fail: the list decides.
"$venv/bin/checkov" --framework cloudformation --directory "$folder/templates" --output json --compact \
  --soft-fail --skip-download >"$folder/report.json"

# A logical id ends with a hash of eight digits.
python3 - "$folder" "$acknowledged" <<'PYTHON'
import json, os, sys

folder, acknowledged = sys.argv[1:]
report = json.load(open(f"{folder}/report.json"))
scanned = {check["file_path"] for kind in ("passed_checks", "failed_checks") for check in report["results"][kind]}
missing = len(os.listdir(f"{folder}/templates")) - len(scanned) + report["summary"]["parsing_errors"]
found = {(check["check_id"], check["resource"].split(".")[1][:-8]): check for check in report["results"]["failed_checks"]}
expected = {tuple(line.split()[:2]) for line in acknowledged.strip().splitlines()}
for key in sorted(found.keys() - expected):
    print(*key, "has no reason:", found[key]["check_name"], found[key]["file_path"])
for key in sorted(expected - found.keys()):
    print(*key, "is not found any more")
if missing:
    print(missing, "templates were not read")
failed = len(found.keys() ^ expected) + missing
print(f"{len(found.keys() & expected)} passed, {failed} failed")
sys.exit(failed > 0)
PYTHON
