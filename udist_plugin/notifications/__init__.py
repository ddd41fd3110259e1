"""Distribution's notifications: events of what happens in a registry, on their way to endpoints."""
