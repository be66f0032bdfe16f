"""python scim2-tester.py NAME BASE: runs scim2-tester against one connection; the token is in SCIM_TOKEN.

Prints one line, and one more for each error. Exit status 1 when there is one.
"""

import importlib.metadata
import os
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import MutabilityException
from scim2_tester import CheckResult, Status, check_server

PROVISIONING = "urn:scim-bridge:params:scim:schemas:extension:1.0:Provisioning"


def is_refused_as_read_only(data: dict) -> bool:
    """The tester takes an extension for writable whose attributes are all readOnly. RFC 7644 §3.5.2: 400 mutability."""
    return isinstance(data.get("error"), MutabilityException)


def is_kept(data: dict) -> bool:
    """A removed `active` would mean "active": only an explicit true switches an account on, so the value stays."""
    return data.get("modify_actual") == data.get("initial_value")


def differs_in_computed_names_only(data: dict) -> bool:
    """The tester wants back exactly what it sent, but `members.display` is announced as readOnly: the bridge fills it in."""
    sent, returned = (
        [{**member.model_dump(), "display": None} for member in data.get(key) or []] for key in ("expected", "actual")
    )
    return sent != [] and sent == returned


# (resource type, check, attribute) -> whether the difference is the one that docs/interop.md explains, and no other.
DECLARED = {
    ("User", "check_add_attribute", PROVISIONING): is_refused_as_read_only,
    ("User", "check_remove_attribute", PROVISIONING): is_refused_as_read_only,
    ("User", "check_replace_attribute", PROVISIONING): is_refused_as_read_only,
    ("User", "check_remove_attribute", "active"): is_kept,
    ("Group", "check_add_attribute", "members"): differs_in_computed_names_only,
    ("Group", "check_replace_attribute", "members"): differs_in_computed_names_only,
}


def key_of(result: CheckResult) -> tuple:
    attribute = result.data.get("urn") if isinstance(result.data, dict) else None
    return (result.resource_type, result.title, attribute)


def main(name: str, base: str) -> int:
    headers = {"Authorization": f"Bearer {os.environ['SCIM_TOKEN']}"}
    results = check_server(SyncSCIMClient(Client(base_url=base, headers=headers, timeout=60)))
    wrong = [result for result in results if result.status in (Status.ERROR, Status.CRITICAL)]
    declared = {key_of(result) for result in wrong if key_of(result) in DECLARED and DECLARED[key_of(result)](result.data)}
    errors = [f"{key_of(result)}: {result.reason}" for result in wrong if key_of(result) not in declared]
    # A list that says more than is true would hide the next mistake.
    errors += [f"{key}: declared as different, but it is not" for key in DECLARED if key not in declared]
    if not any(result.resource_type == "Group" for result in results):
        errors.append("the checks ended before the groups")
    version = importlib.metadata.version("scim2-tester")
    print(
        f"scim2-tester {version}: {name}: {len(results)} checks, {len(errors)} errors, "
        f"{len(declared)} declared differences"
    )
    for error in errors:
        print(f"  {error}")
    return 1 if errors else 0


sys.exit(main(*sys.argv[1:3]))
