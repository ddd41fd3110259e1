"""The plugin as a gRPC server on a Unix-domain socket, for hosts that speak gRPC (PROTOCOL.md, "gRPC")."""
