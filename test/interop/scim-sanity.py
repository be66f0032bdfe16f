"""scim-sanity probe … --json-output | python scim-sanity.py NAME: reads the result of scim-sanity.

Prints one line, and one more for each failure. Exit status 1 when there is one.
"""

import json
import sys

# Test -> what it says where docs/interop.md explains why the bridge answers otherwise.
DECLARED = {
    "PATCH /Groups/{id}": "Expected HTTP 200, got 204",
    "PATCH /Groups/{id} remove members": "Expected 200, got 204",
    "PATCH /Groups/{id} add member": "Expected 200, got 400",
}


def main(name: str) -> int:
    report = json.load(sys.stdin)
    results = report["results"]
    wrong = [result for result in results if result["status"] not in ("pass", "skip", "warn")]
    declared = {
        result["name"]
        for result in wrong
        if result["name"] in DECLARED and str(result.get("message")).startswith(DECLARED[result["name"]])
    }
    errors = [f"{result['name']}: {result.get('message')}" for result in wrong if result["name"] not in declared]
    errors += [f"{test}: declared as different, but it is not" for test in DECLARED if test not in declared]
    if report["summary"]["passed"] == 0:
        errors.append("no test has passed")
    skipped = report["summary"]["skipped"]
    print(
        f"scim-sanity {report['scim_sanity_version']}: {name}: {len(results)} checks, {len(errors)} errors, "
        f"{len(declared)} declared differences, {skipped} skipped by the suite"
    )
    for error in errors:
        print(f"  {error}")
    return 1 if errors else 0


sys.exit(main(sys.argv[1]))
