"""The caller's side: spawns a plugin, drives ``wire``, hands out HTTP transports."""
