"""xtrace traces any Linux host with whatever engine that host has."""

__version__ = "0.1.0"
