"""How a registry is told who asks: Basic, and tokens (distribution's "Token Authentication")."""
