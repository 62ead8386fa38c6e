"""The process of a differential run: see replay.py."""

from .replay import main

main()
