"""Real editors, with exactly the configuration that docs/editors.md gives: they show the findings, and see them change."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from .conftest import make_tree

DOCS = Path(__file__).parents[2] / "docs" / "editors.md"
PATIENCE = 180


def block(section: str, language: str, number: int = 0) -> str:
    """The n-th code block of a section of the page."""
    text = re.split(r"(?m)^## ", DOCS.read_text())
    part = next(t for t in text if t.startswith(section))
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```", part)[number]


def environment(home: Path) -> dict[str, str]:
    """With the program on the PATH and no configuration but the test's."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_DATA_HOME": str(home / "data"),
        "MAESTRO_LSP_CACHE": "",
    }


NEOVIM = """
local out, buffer = {}, vim.api.nvim_get_current_buf()
local function codes()
  local found = {}
  for _, d in ipairs(vim.diagnostic.get(buffer)) do found[#found + 1] = d.code or d.user_data.lsp.code end
  table.sort(found)
  return found
end
local function wait(what, condition)
  if not vim.wait(40000, condition, 50) then out.timeout = out.timeout or what end
end
local function seen(code) return function() return vim.tbl_contains(codes(), code) end end
local function ask(method, params)
  local answers = vim.lsp.buf_request_sync(buffer, method, params, 20000) or {}
  for _, answer in pairs(answers) do return answer.result end
end
local text_document = { uri = vim.uri_from_bufnr(buffer) }
wait("findings", seen("unhashed-traffic"))
out.before = codes()
local line = vim.fn.search("if (map_get(state->flows, id, &index))") - 1
local column = #("if (map_") + vim.fn.indent(line + 1)
out.hover = ask("textDocument/hover", { textDocument = text_document, position = { line = line, character = column } })
local old = vim.api.nvim_buf_get_lines(buffer, line, line + 1, true)[1]
vim.api.nvim_buf_set_lines(buffer, line, line + 1, true, { (old:gsub("map_get%(state", "map_get(nothing")) })
wait("the mistake", seen("unsupported-construct"))
out.mistake = codes()
vim.cmd("undo")
wait("the undo", function() return vim.deep_equal(codes(), out.before) end)
out.after = codes()
vim.cmd("edit fw_main.c")
buffer = vim.api.nvim_get_current_buf()
text_document = { uri = vim.uri_from_bufnr(buffer) }
wait("lenses", function()
  local lenses = ask("textDocument/codeLens", { textDocument = text_document })
  out.lens = lenses and lenses[1] and ask("codeLens/resolve", lenses[1])
  return out.lens ~= nil
end)
out.symbols = ask("textDocument/documentSymbol", { textDocument = text_document })
local name = out.lens.range
out.matrix = ask("textDocument/hover", { textDocument = text_document, position = name.start })
local fix
for _, action in ipairs(ask("textDocument/codeAction", { textDocument = text_document, range = name, context = { diagnostics = {} } })) do
  if action.title:find("Switch the NIC profile of fw to connectx", 1, true) then fix = action end
end
vim.lsp.util.apply_workspace_edit((fix.edit and fix or ask("codeAction/resolve", fix)).edit, "utf-16")
vim.cmd("wall")
return out
"""
RUN = """
local ok, out = pcall(dofile, vim.env.SESSION)
local file = io.open(vim.env.OUT, "w")
file:write(vim.fn.json_encode(ok and out or { failed = out }))
file:close()
vim.cmd("qall!")
"""


def neovim_version() -> tuple[int, int]:
    said = subprocess.run(["nvim", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"v(\d+)\.(\d+)", said)
    assert found is not None
    return int(found[1]), int(found[2])


def test_neovim_shows_findings_hover_lens_and_symbols(tmp_path: Path) -> None:
    root = make_tree(tmp_path, "fw") / "fw"
    (tmp_path / "init.lua").write_text(block("Neovim", "lua", 0 if neovim_version() >= (0, 11) else 1))
    (tmp_path / "session.lua").write_text(NEOVIM)
    out = tmp_path / "out.json"
    command = ["nvim", "--headless", "-u", str(tmp_path / "init.lua"), "-i", "NONE", "-n", "fw_flows.c"]
    (tmp_path / "run.lua").write_text(RUN)
    command += ["-c", f"luafile {tmp_path / 'run.lua'}"]
    done = subprocess.run(
        command,
        cwd=root,
        env={**environment(tmp_path), "OUT": str(out), "SESSION": str(tmp_path / "session.lua")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert out.exists(), done.stderr
    said: dict[str, Any] = json.loads(out.read_text())
    assert "timeout" not in said and "failed" not in said, said
    assert {"shards-on", "unhashed-traffic"} <= set(said["before"])
    assert said["hover"]["contents"]["value"].startswith("**map_get** on `state->flows`")
    assert "unsupported-construct" in said["mistake"]
    assert said["after"] == said["before"]
    assert said["lens"]["command"]["title"].startswith("shared-nothing: RSS keys for x710")
    assert [s["name"] for s in said["symbols"] if s["name"] == "nf_process"]
    assert "| 0, 0 | equal ipv4.src, ipv4.dst, l4.src, l4.dst, ipv4.proto |" in said["matrix"]["contents"]["value"]
    assert (root / "maestro.toml").read_text() == '[maestro]\nnic = "connectx"\n'


EMACS = """
(require 'json)
(defun codes ()
  (sort (delq nil (mapcar (lambda (d) (let ((m (flymake-diagnostic-text d))) (and m (format "%s" m)))) (flymake-diagnostics))) #'string<))
(defun wait-for (what condition)
  (let ((ends (+ (float-time) 40)))
    (while (and (< (float-time) ends) (not (funcall condition))) (accept-process-output nil 0.05))
    (unless (funcall condition) (princ (format "TIMEOUT %s\\n" what)))))
(setq eglot-sync-connect 60 eglot-connect-timeout 60 enable-local-variables nil)
(find-file (getenv "FILE"))
(run-hooks 'post-command-hook) ; which nobody's typing does in batch mode
(wait-for "connection" (lambda () (and (eglot-current-server) eglot--managed-mode)))
(flymake-start)
(wait-for "findings" (lambda () (> (length (codes)) 2)))
(setq before (codes))
(goto-char (point-min))
(search-forward "if (map_get(state->flows, id, &index)")
(setq at (- (point) 20))
(goto-char at)
(setq hover (plist-get (plist-get (jsonrpc-request (eglot-current-server) :textDocument/hover
  (eglot--TextDocumentPositionParams)) :contents) :value))
(goto-char (point-min))
(insert "// a comment: все хорошо 🙂\\n")
(setq analysis nil)
(wait-for "fresh" (lambda ()
  (eglot--signal-textDocument/didChange)
  (setq analysis (jsonrpc-request (eglot-current-server) :maestro/analysis (list :textDocument (eglot--TextDocumentIdentifier))))
  (equal (plist-get analysis :state) "fresh")))
(with-temp-file (getenv "OUT")
  (insert (json-encode (list :before (vconcat before) :hover hover :verdict (plist-get analysis :verdict)
                             :nic (plist-get (plist-get analysis :rss) :nic)))))
(eglot-shutdown (eglot-current-server))
(kill-emacs 0)
"""


def test_emacs_with_eglot_shows_findings_and_hover(tmp_path: Path) -> None:
    root = make_tree(tmp_path, "fw") / "fw"
    (tmp_path / "init.el").write_text("(package-initialize)\n" + block("Emacs", "elisp"))
    (tmp_path / "session.el").write_text(EMACS)
    out = tmp_path / "out.json"
    done = subprocess.run(
        ["emacs", "--batch", "-q", "-l", str(tmp_path / "init.el"), "-l", str(tmp_path / "session.el")],
        cwd=root,
        env={**environment(tmp_path), "OUT": str(out), "FILE": str(root / "fw_flows.c")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert out.exists(), done.stdout + done.stderr
    said = json.loads(out.read_text())
    assert "TIMEOUT" not in done.stdout, (done.stdout, said)
    assert any("shards on" in text for text in said["before"]), said
    assert said["hover"].startswith("**map_get** on `state->flows`")
    assert said["verdict"] == "shared-nothing" and said["nic"] == "x710"


def test_the_helix_configuration_names_the_server() -> None:
    table = tomllib.loads(block("Helix", "toml"))
    server = table["language-server"]["maestro"]
    assert [server["command"], *server["args"]] == ["maestro-lsp", "serve"]
    assert "maestro" in table["language"][0]["language-servers"]


@pytest.mark.parametrize("program", ["nvim", "emacs"])
def test_the_editors_are_installed(program: str) -> None:
    assert shutil.which(program), f"{program} is missing; `make apt` installs it"
