"""Variables of Makefiles compared with GNU make."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from maestro_lsp.makefile import Makefile

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed: nothing to compare with")

CASES = {
    "assignments": "A = $(B) x\nB := y\nC ?= z\nC ?= no\nB += more\nA += end\nD := $(A)\nB := changed\nE ::= e\n",
    "functions": (
        "CAP :=\nA := $(or $(CAP),65536)\nB := $(or ,$(CAP), 7 )\nC := $(subst .h,.h.gen.c,flow.h state.h)\n"
        "D := $(patsubst %.c,%.o,a.c b.h c.c)\nE := $(strip  a   b )\nF := $(findstring b,abc)$(findstring x,abc)\n"
        "G := $(filter %.c x,a.c b.h x)\nH := $(filter-out %.c,a.c b.h x)\nI := $(sort b a b)\nJ := $(word 2,a b c)$(words a b c)\n"
        "K := $(firstword a b)$(lastword a b)\nL := $(dir a/b c)\nM := $(notdir a/b c)\nN := $(basename a.c b)$(suffix a.c b)\n"
        "O := $(addprefix -I,a b)\nP := $(addsuffix .gen.c,$(D))\nQ := $(if $(CAP),yes,no)\nR := $(foreach i,1 2 3,x$(i))\n"
        "S := $(and a,b)$(and a,)\nT := $(A:.c=.o) $(G:%.c=%.o)\nU := ${A}$$$(E)\n"
    ),
    "continuations": "A := a \\\n     b \\\n  c\nB = x\\\ny\n",
    "comments": "A := a # comment\nB := a\\#b\n# C := no\nC := $(subst x,y,x) # end\n",
    "conditionals": (
        "A := 1\nifeq ($(A),1)\nB := yes\nelse\nB := no\nendif\nifneq (,$(A))\nC := yes\nendif\nifdef NOPE\nD := no\nelse ifeq ($(A), 2)\n"
        "D := no2\nelse ifdef A\nD := yes\nifndef A\nE := no\nelse\nE := yes\nendif\nelse\nD := no3\nendif\nifeq '$(A)' \"1\"\nF := yes\nendif\n"
    ),
    "includes": "A := before\ninclude $(abspath $(dir $(lastword $(MAKEFILE_LIST))))/other.mk\nB := $(A) $(FROM)\n-include missing.mk\n",
    "wildcards": "A := $(wildcard *.mk) $(wildcard *.none)\nB := $(notdir $(CURDIR))\nC := $(notdir $(abspath x/../y))\n",
    "rules are skipped": "A := 1\nall: A B\n\tA := 2\n\t@echo $(A)\nB := 3\nall: C = 4\ndefine IGNORED\nA := 5\nendef\nE := $(A)\n",
    "nf": (
        "NF_ARGS := --wan 1 \\\n           --expire $(or $(EXPIRATION_TIME),10) \\\n           --eth-dest 0,$(or $(MAC),01:23:45:67:89:00)\n"
        "NF_DEVICES ?= 3\nNF_FILES := main.c\nNF_AUTOGEN_SRCS := flow.h\nNF_FILES += $(subst .h,.h.gen.c,$(NF_AUTOGEN_SRCS))\n"
    ),
}  # fmt: skip


def read(path: str) -> str | None:
    try:
        return Path(path).read_text()
    except OSError:
        return None


def names(folder: str) -> list[str]:
    return sorted(entry.name for entry in Path(folder or ".").iterdir())


@needs_make
@pytest.mark.parametrize("case", CASES)
def test_variables_as_make(case: str, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(CASES[case])
    (tmp_path / "other.mk").write_text("A += other\nFROM := $(notdir $(lastword $(MAKEFILE_LIST)))\n")
    known = [*"ABCDEFGHIJKLMNOPQRSTU", "NF_ARGS", "NF_DEVICES", "NF_FILES"]
    shown = "".join(f"$(info {name}=[$({name})])" for name in known)
    script = f"include Makefile\n{shown}\nmaestro-print-nothing: ;@:\n"
    run = subprocess.run(
        ["make", "-s", "-R", "-f", "-", "maestro-print-nothing"],
        input=script,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
        timeout=20,
    )
    values = dict(line[:-1].split("=[", 1) for line in run.stdout.splitlines())
    makefile = Makefile(str(tmp_path / "Makefile"), read, names)
    assert {name: makefile.words(name) for name in known} == {name: value.split() for name, value in values.items()}


def test_nothing_is_executed(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("A := $(shell touch executed)\nB != touch executed\nA := $(A)x\n")
    makefile = Makefile(str(tmp_path / "Makefile"), read, names)
    assert makefile.get("A") == "x"
    assert not (tmp_path / "executed").exists()


def test_malicious_makefiles_end() -> None:
    start = time.perf_counter()
    bombs = [
        "A = $(A)\n",
        "A = $(B)\nB = $(A)$(A)\n",
        "A0 := xxxxxxxxxx\n"
        + "".join(f"A{i + 1} := $(A{i})$(A{i})$(A{i})$(A{i})\n" for i in range(40))
        + "A := $(A40)\n",
        "A0 = x\n" + "".join(f"A{i + 1} = $(A{i})$(A{i})$(A{i})$(A{i})\n" for i in range(35)) + "A = $(A35)\n",
        "A := " + "$(" * 30_000,
        "A := $(foreach i," + "x " * 3000 + ",$(foreach j," + "y " * 3000 + ",$(i)$(j)))\n",
        "include Makefile\nA := 1\n",
        "ifeq (\nelse\nelse\nendif\nendif\nifdef\nA := $(word a,b) $(subst) $(if) $(foreach) $(dir\n",
        "A := $(if)$(or)$(and)$(wildcard)$(abspath)$(shell)$(subst a)\n",
    ]
    for bomb in bombs:
        Makefile("Makefile", {"Makefile": bomb}.get, lambda folder: []).get("A")
    assert time.perf_counter() - start < 5
