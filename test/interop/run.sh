#!/usr/bin/env bash
# Public SCIM test suites against the bridge in front of the simulated platforms: docs/interop.md says what and why.
#
#   test/interop/run.sh [CONNECTION …]          figshare and dspace, or those that are named
#   INTEROP_CACHE=DIR test/interop/run.sh       keeps what was installed in DIR, by version
#   OKTA_SPEC=FILE MS_COLLECTION=FILE test/interop/run.sh
#
# Needs the network, python3 (3.10 or later) and npm; a suite that cannot be installed is skipped, and said to be.
# Exit status 1 when a suite that ran has an error. Writes nothing into the working tree.
set -euo pipefail

newman_version=6.2.2
parse_filter_version=0.2.10
scim_patch_version=0.8.3

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
node=$root/node_modules/.bin/node
[ -x "$node" ] || node=node
connections=("$@")
[ $# -gt 0 ] || connections=(figshare dspace)
for name in "${connections[@]}"; do
  if ! [ -f "$here/mappings/$name.yaml" ]; then
    echo "run.sh: there is no connection '$name'" >&2
    exit 2
  fi
done

work=$(mktemp -d)
state=$work/state
cache=${INTEROP_CACHE:-$work/cache}
started=()
failed=0

# shellcheck disable=SC2329 # The trap calls it.
clean_up() {
  for pid in ${started[@]+"${started[@]}"}; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

skip() { printf '%s: skipped: %s\n' "$1" "$2"; }

# A suite prints its own line; here only its exit status counts.
check() { "$@" || failed=1; }

# Waits until a command succeeds, or a process that it needs is gone.
until_ready() {
  local pid=$1 log=$2
  shift 2
  for _ in $(seq 150); do
    if "$@" >/dev/null 2>&1; then return; fi
    if ! kill -0 "$pid" 2>/dev/null; then break; fi
    sleep 0.2
  done
  cat "$log" >&2
  echo "run.sh: not ready; its log is above" >&2
  exit 2
}

start_bridge() {
  local port
  port=$("$node" -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
  bridge=http://127.0.0.1:$port
  SCIM_TOKEN=$("$node" -e 'console.log(require("crypto").randomBytes(24).toString("hex"))')
  export SCIM_TOKEN
  cd "$root"
  "$node" --disable-proto=delete src/main.ts demo --simulators-only --port "$port" --token "$SCIM_TOKEN" \
    --state "$state" >"$work/ready.json" 2>"$work/platforms.log" &
  started+=($!)
  until_ready $! "$work/platforms.log" grep -q '"ready":true' "$work/ready.json"
  "$node" "$here/configure.ts" "$state"
  "$node" --disable-proto=delete src/main.ts serve --config "$state/bridge.yaml" >"$work/bridge.log" 2>&1 &
  # It ends first.
  started=($! "${started[@]}")
  until_ready $! "$work/bridge.log" "$node" -e "fetch('$bridge/readyz').then((r) => process.exit(r.ok ? 0 : 1))"
}

base() { echo "$bridge/$1/scim/v2"; }

# Sets $python, or returns 1 after having said why not.
install_python_suites() {
  local folder reason
  if ! command -v python3 >/dev/null; then reason='there is no python3'
  elif ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    reason='python3 is older than 3.10, or has no venv'
  else
    folder=$cache/python-$(cksum <"$here/requirements.txt" | cut -d' ' -f1)
    python=$folder/bin/python
    if [ -f "$folder/complete" ]; then return; fi
    rm -rf "$folder"
    if python3 -m venv "$folder" && "$python" -m pip install --quiet --disable-pip-version-check --retries 1 \
      -r "$here/requirements.txt" >"$work/pip.log" 2>&1; then
      touch "$folder/complete"
      return
    fi
    reason="pip could not install it: $(tail -n 1 "$work/pip.log" 2>/dev/null)"
  fi
  for suite in scim2-tester scim2-cli scim-sanity; do skip "$suite" "$reason"; done
  return 1
}

# install_npm FOLDER PACKAGE@VERSION …: returns 1 with $reason set when that is not possible.
install_npm() {
  local folder=$1
  shift
  if [ -f "$folder/complete" ]; then return; fi
  if ! command -v npm >/dev/null; then reason='there is no npm'; return 1; fi
  rm -rf "$folder"
  mkdir -p "$folder"
  if ! npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --no-save --fetch-retries 1 "$@" >"$work/npm.log" 2>&1; then
    reason="npm could not install it: $(grep -m 1 'npm error' "$work/npm.log" || tail -n 1 "$work/npm.log")"
    return 1
  fi
  touch "$folder/complete"
}

# The list of users and groups has to be empty: it comes before the others.
microsoft_collection() {
  if [ -z "${MS_COLLECTION:-}" ]; then
    skip 'Microsoft collection' 'set MS_COLLECTION to PostmanCollection.json of AzureAD/SCIMReferenceCode'
    return
  fi
  local folder=$cache/newman-$newman_version reason=''
  if ! install_npm "$folder" "newman@$newman_version"; then
    skip 'Microsoft collection' "$reason"
    return
  fi
  for name in "${connections[@]}"; do
    check "$node" "$here/ms-collection.ts" "$MS_COLLECTION" "$folder/node_modules/.bin/newman" "$work" "$name" \
      "$(base "$name-lenient")"
  done
}

okta_spec() {
  if [ -z "${OKTA_SPEC:-}" ]; then
    skip 'Okta SPEC test' 'set OKTA_SPEC to Okta-SCIM-20-SPEC-Test.json of okta/okta-developer-docs'
    return
  fi
  for name in "${connections[@]}"; do
    check "$node" "$here/okta-spec.ts" "$OKTA_SPEC" "$name" "$(base "$name")"
  done
}

scim_sanity() {
  local name
  for name in "${connections[@]}"; do
    # It ends with 1 when a test failed: what counts is its report.
    "$(dirname "$python")/scim-sanity" probe "$(base "$name-answering")" --token "$SCIM_TOKEN" --i-accept-side-effects \
      --json-output >"$work/sanity.json" || true
    check "$python" "$here/scim-sanity.py" "$name" <"$work/sanity.json"
  done
}

scim2_cli() {
  local name
  for name in "${connections[@]}"; do
    check "$python" "$here/scim2-cli.py" "$name" "$(base "$name-lenient")"
  done
}

scim2_tester() {
  local name
  for name in "${connections[@]}"; do
    check "$python" "$here/scim2-tester.py" "$name" "$(base "$name-lenient")"
  done
}

cross_checks() {
  local folder=$cache/cross-checks-$parse_filter_version-$scim_patch_version reason=''
  if install_npm "$folder" "scim2-parse-filter@$parse_filter_version" "scim-patch@$scim_patch_version"; then
    check "$node" "$here/cross-checks.ts" "$folder"
  else
    skip 'scim2-parse-filter, scim-patch' "$reason"
  fi
}

start_bridge
microsoft_collection
okta_spec
if install_python_suites; then
  scim2_tester
  scim2_cli
  scim_sanity
fi
cross_checks
exit "$failed"
