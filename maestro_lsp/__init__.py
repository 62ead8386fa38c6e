"""Maestro LSP: which packets of a network function must meet, and how to make the NIC see to it."""

__version__ = "0.1.0"
