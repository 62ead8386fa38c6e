"""KLEE's `.call_path` files: read, made call paths, placed in the source, written again.

`load.read_directory` and `load.load` give an execution for the analysis; `align.align` compares it with the source's; `export.export` and
`files.write` give text.
"""
