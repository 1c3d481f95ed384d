"""What works on a host and how to fix the rest: checks as data, canary programs, a report."""
