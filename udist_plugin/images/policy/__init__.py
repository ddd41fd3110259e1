"""Signature policies (containers-policy.json(5)): read, and asked about images."""
