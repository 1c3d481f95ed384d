"""The cases. Each module registers functions with ``tests.lab.case.case``."""
