"""OpenStack Swift, by keystoneauth and python-swiftclient."""
