"""Pages of the documentation that are made from the program, so that they cannot differ from it (a hook of mkdocs).

reference/cli.md from the argument parser, findings/index.md from the declarations, reference/report.md from the JSON schema.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maestro_lsp.cli import build_parser
from maestro_lsp.sharding.findings import RULES

DOCS = Path(__file__).parent
WIDTH = "88"  # of usage texts, whatever terminal builds the site


def pages() -> dict[str, str]:
    """Generated pages by their path below docs/."""
    return {
        "reference/cli.md": command_line(),
        "findings/index.md": findings(),
        "reference/report.md": report(),
    }


def command_line() -> str:
    """Every command with its options, as `--help` shows them."""
    os.environ["COLUMNS"] = WIDTH
    parser = build_parser(["--help"])
    out = ["# Command line", "", parser.description or "", ""]
    for name, command in _commands(parser):
        out += [f"## maestro-lsp {name}", "", "```text", command.format_help().rstrip(), "```", ""]
    return "\n".join(out)


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def findings() -> str:
    """All codes with their severities and pages."""
    out = [
        "# Findings",
        "",
        "What the analysis has to say about a place of the source. Each code has a page; editors and SARIF link to it.",
        "",
        "| code | severity | meaning |",
        "| --- | --- | --- |",
    ]
    out += [f"| [`{r.code}`]({r.code}.md) | {r.severity} | {r.summary} |" for r in RULES.values()]
    return "\n".join([*out, ""])


def report() -> str:
    """The JSON of `check`, from its schema."""
    schema = json.loads((DOCS / "reference" / "report.schema.json").read_text())
    out = [
        "# JSON of `check`",
        "",
        "What `maestro-lsp check --format json` prints, and what the language server answers. The [schema](report.schema.json) is what "
        "the tests hold every answer to.",
        "",
    ]
    for title, part in (("The whole answer", schema), *((k, v) for k, v in schema["$defs"].items())):
        if "properties" not in part:
            continue
        out += [f"## {title}", "", "| entry | type | meaning |", "| --- | --- | --- |"]
        required = set(part.get("required", ()))
        for name, entry in part["properties"].items():
            optional = "" if name in required else " (optional)"
            out.append(f"| `{name}`{optional} | {_type(entry)} | {entry.get('description', '')} |")
        out.append("")
    return "\n".join(out)


def _type(entry: dict[str, Any]) -> str:
    if "$ref" in entry:
        name = entry["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name})" if name != "equality" else "pair of fields"
    if "const" in entry:
        return f"`{json.dumps(entry['const'])}`"
    if "enum" in entry:
        return ", ".join(f"`{v}`" for v in entry["enum"])
    if "anyOf" in entry:
        return " or ".join(_type(e) for e in entry["anyOf"])
    kind = entry.get("type", "any")
    if kind == "array" and "items" in entry:
        return f"list of {_type(entry['items'])}"
    if kind == "object" and isinstance(entry.get("additionalProperties"), dict):
        return f"object of {_type(entry['additionalProperties'])}"
    return " or ".join(kind) if isinstance(kind, list) else kind


# ------------------------------------------------------------------------------------------------------------ mkdocs


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages, and the finding pages that the navigation does not name."""
    from mkdocs.structure.files import File

    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files


_SOURCE = re.compile(r"\[([^\]]*)\]\((?:\.\./)+(?:maestro_lsp|fixtures|README|ARCHITECTURE)[^)]*\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Files of the repository are no pages of the site: name them without a link."""
    return _SOURCE.sub(r"\1", markdown)
