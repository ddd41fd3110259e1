"""The frame protocol, sans-IO: no descriptor, thread or clock. ``proto/PROTOCOL.md`` is normative."""
