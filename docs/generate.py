"""Pages of the documentation that are made from the program, so that they cannot differ from it (a hook of mkdocs).

reference/cli.md from the argument parser, reference/settings.md from what maestro.toml and the VS Code extension declare, findings/index.md
from the declarations, reference/report.md from the JSON schema.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maestro_lsp.check import check
from maestro_lsp.cli import build_parser
from maestro_lsp.render.json_ import document
from maestro_lsp.render.json_ import nf as as_json
from maestro_lsp.settings import KEYS, Settings
from maestro_lsp.sharding.findings import RULES
from maestro_lsp.workspace import find_nfs

DOCS = Path(__file__).parent
WIDTH = 88  # of usage texts and examples, whatever terminal builds the site


def pages() -> dict[str, str]:
    """Generated pages by their path below docs/."""
    return {
        "reference/cli.md": command_line(),
        "reference/settings.md": settings(),
        "findings/index.md": findings(),
        "reference/report.md": report(),
    }


def command_line() -> str:
    """Every command with its options, as `--help` shows them."""
    os.environ["COLUMNS"] = str(WIDTH)
    parser = build_parser(["--help"])
    out = ["# Command line", "", parser.description or "", ""]
    for name, command in _commands(parser):
        out += [f"## maestro-lsp {name}", "", "```text", command.format_help().rstrip(), "```", ""]
    return "\n".join(out)


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def settings() -> str:
    """What can be set, where, and under which name."""
    editor = {group["title"]: group["properties"] for group in _manifest()["contributes"]["configuration"]}
    options = {o for a in _commands_of("check")._actions for o in a.option_strings}
    out = [
        "# Settings",
        "",
        "What a project agrees on belongs in [maestro.toml](../maestro-toml.md). An editor's settings win over it, options of the command line too.",
        "",
        "## Of a project",
        "",
        "| maestro.toml | editor | command line | type | default | meaning |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, key in KEYS.items():
        first, *rest = name.split("_")
        in_editor = "maestro." + first + "".join(map(str.title, rest))
        option = f"--{name.replace('_', '-')}"
        kind = key.kind if isinstance(key.kind, str) else {str: "text", int: "number", bool: "true or false"}[key.kind]
        where = f"`{in_editor}`" if in_editor in editor["Analysis"] else "", f"`{option}`" if option in options else ""
        out.append(f"| `{name}` | {where[0]} | {where[1]} | {kind} | {key.default} | {key.meaning} |")
    out.append(
        "| `[config]` | `maestro.config` | `--set` | table | none | values of the NF's configuration; they win over its arguments |"
    )
    out.append(
        "| `[[structure]]` | | | tables | libVig's | [data structures of your own](../maestro-toml.md#your-own-data-structures) |"
    )
    projects = {"maestro." + re.sub("_(.)", lambda m: m[1].upper(), name) for name in (*KEYS, "config")}
    for title, heading in (
        ("Analysis", "Of any editor"),
        ("Editor", ""),
        ("Server", "Of VS Code alone"),
    ):
        if heading:
            out += ["", f"## {heading}", "", "| setting | type | default | meaning |", "| --- | --- | --- | --- |"]
        for name, entry in editor[title].items():
            if name not in projects:
                default = json.dumps(entry["default"]) if entry["default"] not in ("", []) else "none"
                kind = {"boolean": "true or false", "string": "text", "array": "strings"}.get(
                    entry["type"], entry["type"]
                )
                out.append(f"| `{name}` | {kind} | {default} | {entry['markdownDescription']} |")
    return "\n".join([*out, ""])


def _manifest() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCS.parent / "vscode-extension" / "package.json").read_text())
    return found


def _commands_of(name: str) -> argparse.ArgumentParser:
    return dict(_commands(build_parser()))[name]


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
    return "\n".join([*out, *_example()])


def _example() -> list[str]:
    """What a real run prints."""
    words = ("fixtures/first-100", "generic")
    (nf,) = find_nfs(DOCS.parent / words[0])
    report = {**as_json(check(nf, Settings(nic=words[1]))), "timings_ms": {}}
    told = f"`maestro-lsp check {words[0]} --nic {words[1]} --format json`, its timings left out:"
    return ["## An example", "", told, "", "```json", _indented(document([report])), "```", ""]


def _indented(value: Any, column: int = 0) -> str:
    """JSON with what fits into a line on one line."""
    line = json.dumps(value)
    if len(line) + column <= WIDTH or not isinstance(value, (dict, list)):
        return line
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    items = (
        [f"{json.dumps(k)}: {_indented(v, column + 2)}" for k, v in value.items()]
        if isinstance(value, dict)
        else [_indented(v, column + 2) for v in value]
    )
    inner = ",\n".join(" " * (column + 2) + item for item in items)
    return f"{opening}\n{inner}\n{' ' * column}{closing}"


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
