"""Azure Blob Storage, by azure-storage-blob."""
