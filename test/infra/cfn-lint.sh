#!/usr/bin/env bash
# Every template of the matrix through cfn-lint, AWS's own linter, for regions on three continents. The linter is
# pinned, comes from PyPI, and is kept between runs.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=1.58.0
venv=${XDG_CACHE_HOME:-$HOME/.cache}/postman-audit-archive/cfn-lint-$version
if [[ ! -x $venv/bin/cfn-lint ]]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "cfn-lint==$version"
fi

templates=$(mktemp -d)
trap 'rm -rf "$templates"' EXIT
npx --no-install tsx test/infra/write-templates.ts "$templates"

# W3005, a dependency stated twice: CDK has every function depend on its role in both ways.
passed=0 failed=0
for template in "$templates"/*.json; do
  if "$venv/bin/cfn-lint" --ignore-checks W3005 --regions us-east-1 eu-central-1 ap-southeast-2 -- "$template"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
done
printf '%s passed, %s failed\n' "$passed" "$failed"
exit $((failed > 0))
