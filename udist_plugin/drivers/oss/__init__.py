"""Alibaba Cloud Object Storage Service, by its SDK."""
