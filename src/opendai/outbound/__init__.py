"""The way out: every connection to a host that a caller or a setting names is made here."""
