"""Calling others: every connection that this server opens by a name it was given is made here."""
