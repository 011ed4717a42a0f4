"""What stands in images/ and compose.yaml, and what is made of it."""
