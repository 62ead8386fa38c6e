"""getopt against the C library's own: what it returns, where arguments are, and what it makes of argv."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_lsp.symbex import expr as X
from tests.symbex.against_gcc import PACKET, Native, Snippet, call, model_of, run_symbolically

TEXT = """
static struct { uint8_t log[PLACES]; uint8_t count; } seen;
static void note(int value) { if (seen.count < PLACES) seen.log[seen.count++] = value; }

void nf_config_init(int argc, char **argv) {
  struct option options[] = {{"count", no_argument, NULL, 'c'}, {"color", optional_argument, NULL, 'k'}, {"other", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0}};
  memset(&seen, 0, sizeof seen);
  opterr = 0;
  for (int times = 0; times < TIMES; times++) {
    int letter;
    optind = 0; // anew
    while ((letter = GETOPT) != -1) {
      note(letter);
      if (letter == 'o' || letter == 'k' || letter == 1) {
        note(optarg == NULL ? 0 : *optarg);
        note(optarg == NULL || *optarg == 0 ? 0 : optarg[1]);
      }
    }
    note(optind);
  }
  for (int i = 1; i < argc; i++) { note(argv[i][0]); note(argv[i][1]); }
}
bool nf_init(void) { return true; }
PROCESS { memcpy(buffer, &seen, sizeof seen); return 0; }
"""
WORDS = ("-c", "-o", "-k", "-oc", "-kc", "-co", "-cx", "-x", "-", "--", "a", "b", "c", "--count", "--count=1", "--co", "--col", "--color",
         "--color=r", "--other", "--other=", "--ot=c", "--none", "-ccc", "-other", "-color")  # fmt: skip


def _arguments(seed: int) -> Iterator[tuple[str, ...]]:
    pick = random.Random(seed)
    for _ in range(30):
        yield tuple(pick.choices(WORDS, k=pick.randrange(6)))


@pytest.mark.parametrize(
    "getopt",
    [
        'getopt_long(argc, argv, "co:k::", options, NULL)',
        'getopt_long(argc, argv, "+co:k::", options, NULL)',
        'getopt_long(argc, argv, "-:co:k::", options, NULL)',
        'getopt_long_only(argc, argv, ":co:k::", options, NULL)',
        'getopt(argc, argv, "co:k::")',
    ],
)
def test_arguments_are_parsed_as_the_c_library_does(getopt: str, tmp_path: Path) -> None:
    text = TEXT.replace("GETOPT", getopt).replace("TIMES", "2" if "only" not in getopt else "1").replace("PLACES", "48")
    native = Native(Snippet("getopt", text, ()), tmp_path)
    for arguments in _arguments(1):
        words = [b"nf", *(w.encode() for w in arguments)]
        argv = (ctypes.c_char_p * (len(words) + 1))(*words, None)
        native.library.nf_config_init(len(words), argv)
        _, left = call(native.library.nf_process, 0, bytes(PACKET), 60, 0)
        (path,) = run_symbolically(Snippet("getopt", text, arguments)).paths
        model = model_of(path, bytes(PACKET), 60, 0, {})
        ours = bytearray(PACKET)
        for w in path.writes:
            ours[w.offset] = X.evaluate(w.value, model)
        assert bytes(ours) == left, arguments
    native.close()
