"""scim-sanity probe … --json-output | python scim-sanity.py NAME: reads the result of scim-sanity.

Prints one line, and one more for each failure. Exit status 1 when there is one.
"""

import json
import sys

def main(name: str) -> int:
    report = json.load(sys.stdin)
    results = report["results"]
    wrong = [result for result in results if result["status"] not in ("pass", "skip", "warn")]
    errors = [f"{result['name']}: {result.get('message')}" for result in wrong]
    if report["summary"]["passed"] == 0:
        errors.append("no test has passed")
    skipped = report["summary"]["skipped"]
    print(
        f"scim-sanity {report['scim_sanity_version']}: {name}: {len(results)} checks, {len(errors)} errors, "
        f"{skipped} skipped by the suite"
    )
    for error in errors:
        print(f"  {error}")
    return 1 if errors else 0


sys.exit(main(sys.argv[1]))
