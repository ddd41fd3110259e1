"""What this user has logged in with: docker's and podman's files, and credential helpers."""
