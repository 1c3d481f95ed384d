"""What can be traced on a host, in words: probes that match a pattern, and the manual of one name."""
