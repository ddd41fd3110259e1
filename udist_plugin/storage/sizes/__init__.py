"""Blob sizes, remembered: in this process, or in Redis for every plugin that shares it."""
