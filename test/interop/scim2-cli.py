"""python scim2-cli.py NAME BASE: one user from create to delete with scim2-cli's commands; the token is in SCIM_TOKEN.

scim2-cli checks every answer against the schemas that the server announces. Its own `test` command is scim2-tester.
Prints one line, and one more for each command that failed. Exit status 1 when there is one.
"""

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("scim2"))


def run(base: str, arguments: list[str]) -> tuple[bool, str]:
    headers = f"Authorization: Bearer {os.environ['SCIM_TOKEN']}"
    environment = {**os.environ, "SCIM_CLI_HEADERS": headers}
    done = subprocess.run(
        [PROGRAM, "--url", base, *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    return done.returncode == 0, done.stdout if done.returncode == 0 else (done.stderr or done.stdout).strip()


def steps(identifier: str) -> list[tuple[list[str], str]]:
    """Commands, and a text that has to be in what they print."""
    return [
        (["query", "user", identifier], '"userName": "command-line"'),
        (["modify", "user", identifier, "replace", "displayName", "Ada Byron"], '"displayName": "Ada Byron"'),
        (["replace", "user", "--id", identifier, "--user-name", "command-line", "--title", "Countess"], '"Countess"'),
        (["query", "user", "--filter", 'userName eq "COMMAND-LINE"'], identifier),
        (["search", "user", "--attribute", "userName"], identifier),
        (["delete", "user", identifier], ""),
    ]


def main(name: str, base: str) -> int:
    errors = []
    ok, text = run(base, ["create", "user", "--user-name", "command-line", "--display-name", "Ada Lovelace"])
    if not ok:
        errors.append(f"create: {text}")
    commands = steps(json.loads(text)["id"]) if ok else []
    for arguments, wanted in commands:
        ok, text = run(base, arguments)
        if not ok or wanted not in text:
            errors.append(f"{' '.join(arguments)}: {text}")
    version = importlib.metadata.version("scim2-cli")
    print(f"scim2-cli {version}: {name}: {len(commands) + 1} commands, {len(errors)} errors")
    for error in errors:
        print(f"  {error}")
    return 1 if errors else 0


sys.exit(main(*sys.argv[1:3]))
