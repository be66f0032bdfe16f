"""python scim2-tester.py NAME BASE: runs scim2-tester against one connection; the token is in SCIM_TOKEN.

Prints one line, and one more for each error. Exit status 1 when there is one.
"""

import importlib.metadata
import os
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import CheckResult, Status, check_server

def stays_off(result: CheckResult) -> bool:
    """The tester draws whether its user is on. `active` of one who is off is kept: without it they would count as on."""
    is_removal = key_of(result) == ("User", "check_remove_attribute", "active")
    return is_removal and result.data.get("initial_value") is False and result.data.get("modify_actual") is False


def key_of(result: CheckResult) -> tuple:
    attribute = result.data.get("urn") if isinstance(result.data, dict) else None
    return (result.resource_type, result.title, attribute)


def main(name: str, base: str) -> int:
    headers = {"Authorization": f"Bearer {os.environ['SCIM_TOKEN']}"}
    results = check_server(SyncSCIMClient(Client(base_url=base, headers=headers, timeout=60)))
    wrong = [result for result in results if result.status in (Status.ERROR, Status.CRITICAL)]
    errors = [f"{key_of(result)}: {result.reason}" for result in wrong if not stays_off(result)]
    if not any(result.resource_type == "Group" for result in results):
        errors.append("the checks ended before the groups")
    kept = ", 1 declared difference" if any(stays_off(result) for result in wrong) else ""
    version = importlib.metadata.version("scim2-tester")
    print(f"scim2-tester {version}: {name}: {len(results)} checks, {len(errors)} errors{kept}")
    for error in errors:
        print(f"  {error}")
    return 1 if errors else 0


sys.exit(main(*sys.argv[1:3]))
