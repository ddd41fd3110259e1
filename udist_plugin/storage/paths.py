"""Where everything stands in the store; the layout is distribution's (registry/storage/paths.go).

/docker/registry/v2
├── blobs/<algorithm>/<first two of hex>/<hex>/data
├── repositories/<name>
│   ├── _layers/<algorithm>/<hex>/link
│   ├── _manifests
│   │   ├── revisions/<algorithm>/<hex>/link
│   │   └── tags/<tag>
│   │       ├── current/link
│   │       └── index/<algorithm>/<hex>/link
│   └── _uploads/<id>
│       ├── data
│       └── startedat            RFC 3339, UTC
└── udist                        ours; stock servers never look here, and all of it can be rebuilt
    ├── catalog                  what repositories there are (see catalog_index.py)
    ├── news/<name>/_new         repositories it may lack
    ├── repositories/<name>/_referrers/subjects
    ├── cached/<due>/<id>        what a pull-through cache drops then (see proxy/expiry.py)
    ├── quarantine/<run>         what may be garbage (see collection/quarantine.py)
    ├── damaged                  blobs that were moved aside (see scrubbing/blobs.py)
    ├── marks                    what manifests refer to (see collection/memory.py)
    ├── leases/<owner>           what somebody needs, and
    ├── released/<owner>         no longer needs (see leases.py)
    └── scratch                  files on their way (see drivers/filesystem.py)

A ``link`` holds the digest of the blob it stands for; the digest in its path is only what it is asked by.
Names, tags and upload ids are checked here, so that none can name another place.
"""

from __future__ import annotations

from udist_plugin.errors import BlobUploadUnknown
from udist_plugin.oci.reference import check_name, check_tag
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from udist_plugin.oci.digest import Digest

ROOT: Final = "/docker/registry/v2"
REPOSITORIES: Final = f"{ROOT}/repositories"
BLOBS: Final = f"{ROOT}/blobs"
OWN: Final = f"{ROOT}/udist"
CATALOG: Final = f"{OWN}/catalog"
NEWS: Final = f"{OWN}/news"
CACHED: Final = f"{OWN}/cached"
SCRATCH: Final = f"{OWN}/scratch"
QUARANTINE: Final = f"{OWN}/quarantine"
NOTE: Final = ".note"
"""How the names of notes end, which stand beside the runs in quarantine."""
DAMAGED: Final = f"{OWN}/damaged"
MARKS: Final = f"{OWN}/marks"
LEASES: Final = f"{OWN}/leases"
RELEASED: Final = f"{OWN}/released"
CURRENT: Final = "current/link"
"""In a tag's folder."""

LAYERS: Final = "_layers"
MANIFESTS: Final = "_manifests"
"""What makes a folder a repository, as in distribution 3."""
UPLOADS: Final = "_uploads"

# Compiled on first use.
_UPLOAD_ID = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_SCRATCH = r"(?:doctor-)?[0-9a-f]{16,}(?:\.[0-9]+)?"


def blob_data(digest: Digest) -> str:
    algorithm, _, encoded = digest.partition(":")
    return f"{BLOBS}/{algorithm}/{encoded[:2]}/{encoded}/data"


def repository(name: str) -> str:
    return f"{REPOSITORIES}/{check_name(name)}"


def layers(name: str) -> str:
    return f"{repository(name)}/{LAYERS}"


def layer(name: str, digest: Digest) -> str:
    return f"{layers(name)}/{_split(digest)}"


def manifests(name: str) -> str:
    return f"{repository(name)}/{MANIFESTS}"


def revisions(name: str) -> str:
    return f"{manifests(name)}/revisions"


def revision(name: str, digest: Digest) -> str:
    return f"{revisions(name)}/{_split(digest)}"


def tags(name: str) -> str:
    return f"{manifests(name)}/tags"


def tag(name: str, tag: str) -> str:
    return f"{tags(name)}/{check_tag(tag)}"


def tag_current(name: str, tag: str) -> str:
    return f"{tags(name)}/{check_tag(tag)}/{CURRENT}"


def tag_index(name: str, tag: str, digest: Digest) -> str:
    return f"{tags(name)}/{check_tag(tag)}/index/{_split(digest)}/link"


def uploads(name: str) -> str:
    return f"{repository(name)}/{UPLOADS}"


def upload(name: str, upload_id: str) -> str:
    """Raises ``BlobUploadUnknown`` for what cannot be the id of an upload."""
    if not is_upload_id(upload_id):
        raise BlobUploadUnknown({"uuid": upload_id[:64]})
    return f"{uploads(name)}/{upload_id}"


def is_upload_id(text: str) -> bool:
    import re

    return re.fullmatch(_UPLOAD_ID, text) is not None


def is_scratch(name: str) -> bool:
    """Whether a file or folder below ``SCRATCH`` can be of ours."""
    import re

    return re.fullmatch(_SCRATCH, name) is not None


def subjects(name: str) -> str:
    return f"{OWN}/repositories/{check_name(name)}/_referrers/subjects"


def quarantined(run: str, digest: Digest) -> str:
    """Where a run of the collector puts a blob's data."""
    algorithm, _, encoded = digest.partition(":")
    return f"{QUARANTINE}/{run}/{algorithm}/{encoded[:2]}/{encoded}"


def damaged(digest: Digest) -> str:
    """Where a damaged blob's data is put."""
    algorithm, _, encoded = digest.partition(":")
    return f"{DAMAGED}/{algorithm}/{encoded[:2]}/{encoded}"


def link(folder: str) -> str:
    return f"{folder}/link"


def _split(digest: Digest) -> str:
    return digest.replace(":", "/")
