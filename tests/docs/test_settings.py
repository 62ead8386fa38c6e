"""The page about settings names all there are: what it is made from agrees with what reads them."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest

from maestro_lsp.server import settings as editors
from maestro_lsp.settings import KEYS, Settings, read_settings

from .pages import ROOT, module

GROUPS = json.loads((ROOT / "vscode-extension" / "package.json").read_text())["contributes"]["configuration"]
DECLARED: dict[str, Any] = {
    name: entry for group in GROUPS if group["title"] != "Server" for name, entry in group["properties"].items()
}
OTHER = {"integer": 3, "number": 3, "boolean": False, "string": "generic", "array": ["ipv4-frag"], "object": {"a": 1}}


def test_maestro_toml_has_a_key_for_each_setting_of_a_project() -> None:
    tables = {"config", "structures"}
    assert set(KEYS) == {f.name for f in fields(Settings)} - tables


@pytest.mark.parametrize("name", KEYS)
def test_a_key_is_read_as_the_kind_that_it_is_said_to_be(name: str) -> None:
    kind = KEYS[name].kind
    right, wrong = {
        str: ('"x"', "1"),
        int: ("1", "true"),
        bool: ("true", "1"),
        "strings": ('["x"]', "1"),
        "table": ("{}", "1"),
    }[kind]
    problems: list[Any] = []
    read_settings("/maestro.toml", f"[maestro]\n{name} = {right}\n", "nf", problems)
    assert problems == []
    read_settings("/maestro.toml", f"[maestro]\n{name} = {wrong}\n", "nf", problems)
    assert [p.message for p in problems] and name in problems[0].message


def test_the_server_knows_no_setting_that_is_not_declared() -> None:
    assert {f"maestro.{name}" for name in editors.ANALYSIS} <= set(DECLARED)


@pytest.mark.parametrize("name", DECLARED)
def test_a_declared_setting_makes_a_difference_to_the_server(name: str) -> None:
    kinds = DECLARED[name]["type"]
    kind = kinds if isinstance(kinds, str) else kinds[0]
    value = True if kinds == ["boolean", "null"] else OTHER[kind]
    assert editors.read({name: value}) != editors.read({})
    assert editors.read({name: DECLARED[name]["default"]}) == editors.read({})


def test_the_page_names_them_all() -> None:
    page = module("generate").settings()
    for name in (*KEYS, *DECLARED, *(n for g in GROUPS for n in g["properties"])):
        assert f"`{name}`" in page
