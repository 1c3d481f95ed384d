"""Probe files: named events and tools as YAML, loaded one by one, with complaints that point at the line."""
