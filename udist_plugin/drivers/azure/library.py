"""What is used of azure-core and azure-storage-blob."""

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.storage.blob import (
    BlobBlock,
    BlobSasPermissions,
    BlobServiceClient,
    BlobType,
    ExponentialRetry,
    generate_blob_sas,
)

__all__ = [
    "AzureError",
    "BlobBlock",
    "BlobSasPermissions",
    "BlobServiceClient",
    "BlobType",
    "ClientAuthenticationError",
    "ExponentialRetry",
    "HttpResponseError",
    "MatchConditions",
    "ResourceNotFoundError",
    "ServiceRequestError",
    "ServiceResponseError",
    "generate_blob_sas",
]
