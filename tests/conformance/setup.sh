#!/bin/bash
# Installs what the conformance tests compare against, at pinned versions, into
# target/conformance. Needs npm. Does nothing when it is there already; runs no
# script of a package.
set -euo pipefail
cd "$(dirname "$0")/../.."

from=tests/conformance
into=target/conformance
if [ -d "$into/node_modules" ] && cmp -s "$from/package-lock.json" "$into/package-lock.json"; then
  exit 0
fi
command -v npm >/dev/null || {
  echo "npm is missing: install it (Debian: apt-get install npm), then run this again" >&2
  exit 1
}
rm -rf "$into"
mkdir -p "$into"
cp "$from/package.json" "$into/"
cp "$from/package-lock.json" "$into/package-lock.next"
mv "$into/package-lock.next" "$into/package-lock.json"
npm ci --prefix "$into" --ignore-scripts --no-audit --no-fund --loglevel=error || {
  rm -rf "$into"
  exit 1
}
