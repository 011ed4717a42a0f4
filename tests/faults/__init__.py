"""Faults put in on purpose, into the real spool, shipper, engine and server."""
