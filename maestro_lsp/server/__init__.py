"""The language server. `server.py` lists what it does; nothing here computes: `engine` does, in another process."""
