"""Runs what a page of the documentation shows, and holds what it prints against what the page says that it prints.

A block of python or js is a file; its first line names it. A block of sh is run. A block of text behind it is what it prints;
without one it has to end well. The blocks of a page are run in their order, in the working directory.
"""

import pathlib
import re
import subprocess

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# An upper bound: what takes longer has failed.
PATIENCE_S = 60


def section(page, title):
    """The text between a heading of the second level and the next one."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{page.name} has no section {title!r}"
    return found.group(1)


def blocks(text, port):
    """The blocks of a text as (language, text), with the server's real port."""
    return [(language, block.replace(":7700", f":{port}")) for language, block in BLOCK.findall(text)]


def is_of_grpcurl(text):
    return "grpcurl " in text


def shell(block):
    """A block as it ended, with what it printed."""
    return subprocess.run(["bash", "-euo", "pipefail", "-c", block], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S, check=False)


def run(text, port, wanted):
    """Runs the wanted blocks of sh. Yields what each is about, and what is wrong with what it printed, if anything."""
    found = blocks(text, port)
    for (language, block), (next_language, expected) in zip(found, found[1:] + [("", "")]):
        if language in ("python", "js"):
            name = re.match(r"(?:#|//) (\S+)", block).group(1)
            pathlib.Path(name).write_text(block)
        elif language == "sh" and wanted(block):
            done, wrong = shell(block), ""
            if next_language == "text" and done.stdout.strip() != expected.strip():
                wrong = f"it printed\n{done.stdout}and not\n{expected}"
            elif next_language != "text" and done.returncode != 0:
                wrong = f"exit code {done.returncode}:\n{done.stdout}"
            yield block.strip().splitlines()[0], wrong
