"""Policies to read, as texts: what loads, what does not, and where udist differs from containers/image."""

from __future__ import annotations

import base64
import json
from typing import Any

ACCEPT = {"type": "insecureAcceptAnything"}
REJECT = {"type": "reject"}
KEY = base64.b64encode(b"a key").decode()
DIGEST = "sha256:" + "ab" * 32


def policy(*requirements: Any) -> str:
    return json.dumps({"default": list(requirements)})


def scoped(transport: str, *scopes: str) -> str:
    return json.dumps({"default": [REJECT], "transports": {transport: {scope: [ACCEPT] for scope in scopes}}})


def sigstore(**fields: Any) -> str:
    return policy({"type": "sigstoreSigned", **fields})


def signed_by(**fields: Any) -> str:
    return policy({"type": "signedBy", "keyType": "GPGKeys", **fields})


def identity(**fields: Any) -> str:
    return sigstore(keyData=KEY, signedIdentity=fields)


FULCIO = {"caData": KEY, "oidcIssuer": "https://issuer.example.com", "subjectEmail": "a@example.com"}
PKI = {"caRootsData": KEY, "subjectHostname": "example.com"}

LOADED = {
    "accept": policy(ACCEPT),
    "reject": policy(REJECT),
    "both": policy(ACCEPT, REJECT),
    "space around": f"  {policy(ACCEPT)}\n",
    "no transports": '{"default": [{"type": "reject"}], "transports": {}}',
    "empty transport": '{"default": [{"type": "reject"}], "transports": {"docker": {}}}',
    "default scope": scoped("docker", ""),
    "escapes in keys": '{"def\\u0061ult": [{"type": "reject"}]}',
    "unknown transport": scoped("nosuch", "anything at all"),
    "a scheme as transport": scoped("docker://", "example.com"),
    "docker takes any scope": scoped("docker", "host/team/", "docker://host", "*.example.com/x", "*"),
    "dir": scoped("dir", "/srv/images", ""),
    "oci": scoped("oci", "/srv/images/app:v1"),
    "oci-archive": scoped("oci-archive", "/srv/app.tar"),
    "docker-archive default": scoped("docker-archive", ""),
    "docker-daemon": scoped("docker-daemon", "docker.io/library/busybox"),
    "atomic": scoped("atomic", "host", "host/ns", "host/ns/stream", "host/ns/stream:tag"),
    "sif": scoped("sif", "/srv"),
    "ostree": scoped("ostree", "anything"),
    "keyData": sigstore(keyData=KEY),
    "keyPath": sigstore(keyPath="/no/such/file"),
    "keyPaths": sigstore(keyPaths=["a", "b"]),
    "keyDatas": sigstore(keyDatas=[KEY, KEY]),
    "base64 with line ends": sigstore(keyData=f"{KEY[:4]}\n{KEY[4:]}"),
    "rekor": sigstore(keyData=KEY, rekorPublicKeyPath="rekor.pub"),
    "rekor many": sigstore(keyData=KEY, rekorPublicKeyDatas=[KEY]),
    "fulcio": sigstore(fulcio=FULCIO, rekorPublicKeyData=KEY),
    "pki": sigstore(pki=PKI),
    "pki with intermediates": sigstore(
        pki={**PKI, "caIntermediatesPath": "chain.pem", "subjectEmail": "a@b"}
    ),
    "signedBy": signed_by(keyPath="a"),
    "signedBy many": signed_by(keyPaths=["a"]),
    "signedBy data": signed_by(keyData=KEY),
    "signedBy X509": policy({"type": "signedBy", "keyType": "X509Certificates", "keyPath": "a"}),
    "signedBaseLayer": policy({"type": "signedBaseLayer", "baseLayerIdentity": {"type": "matchExact"}}),
    "matchExact": identity(type="matchExact"),
    "matchRepoDigestOrExact": identity(type="matchRepoDigestOrExact"),
    "matchRepository": identity(type="matchRepository"),
    "exactReference": identity(type="exactReference", dockerReference="example.com/app:v1"),
    "exactReference by digest": identity(type="exactReference", dockerReference=f"busybox@{DIGEST}"),
    "exactReference with both": identity(type="exactReference", dockerReference=f"a/b:v1@{DIGEST}"),
    "exactRepository": identity(type="exactRepository", dockerRepository="example.com/app"),
    "exactRepository with tag": identity(type="exactRepository", dockerRepository="example.com/app:v1"),
    "remapIdentity": identity(type="remapIdentity", prefix="mirror.example.com", signedPrefix="a.com:5000/x"),
    "remapIdentity short": identity(type="remapIdentity", prefix="ns/shortname", signedPrefix="name"),
}

REFUSED = {
    "nothing": "",
    "empty object": "{}",
    "a list": "[]",
    "null": "null",
    "no default": '{"transports": {}}',
    "default is empty": '{"default": []}',
    "default is null": '{"default": null}',
    "default is an object": '{"default": {"type": "reject"}}',
    "unknown key": '{"default": [{"type": "reject"}], "transport": {}}',
    "capital letter": '{"Default": [{"type": "reject"}]}',
    "capital letter in a requirement": policy({"Type": "reject"}),
    "unknown type": policy({"type": "rejected"}),
    "no type": policy({}),
    "type is null": policy({"type": None}),
    "type is a number": policy({"type": 1}),
    "requirement is null": policy(None),
    "requirement is a text": policy("reject"),
    "member too many": policy({"type": "reject", "reason": "x"}),
    "default twice": '{"default": [{"type": "reject"}], "default": [{"type": "reject"}]}',
    "transport twice": '{"default": [{"type": "reject"}], "transports": {"docker": {}, "docker": {}}}',
    "scope twice": '{"default": [{"type": "reject"}], "transports": {"docker": '
    '{"a": [{"type": "reject"}], "a": [{"type": "reject"}]}}}',
    "member twice": '{"default": [{"type": "reject", "type": "reject"}]}',
    "unknown transport, scope twice": '{"default": [{"type": "reject"}], "transports": {"nosuch": '
    '{"a": [{"type": "reject"}], "a": [{"type": "reject"}]}}}',
    "unknown transport, wrong": '{"default": [{"type": "reject"}], "transports": {"x": {"a": [1]}}}',
    "transports is null": '{"default": [{"type": "reject"}], "transports": null}',
    "transport is null": '{"default": [{"type": "reject"}], "transports": {"docker": null}}',
    "scope is null": '{"default": [{"type": "reject"}], "transports": {"docker": {"a": null}}}',
    "scope is empty": '{"default": [{"type": "reject"}], "transports": {"docker": {"a": []}}}',
    "comment": '{"default": [{"type": "reject"}]} // why',
    "text behind": f"{policy(ACCEPT)}x",
    "two documents": policy(ACCEPT) * 2,
    "byte order mark": f"\N{BOM}{policy(ACCEPT)}",
    "trailing comma": '{"default": [{"type": "reject"},]}',
    "not a number": '{"default": NaN}',
    "single quotes": "{'default': [{'type': 'reject'}]}",
    "dir relative": scoped("dir", "srv"),
    "dir root": scoped("dir", "/"),
    "dir with slash": scoped("dir", "/srv/"),
    "dir with dots": scoped("dir", "/srv/../x"),
    "dir with two slashes": scoped("dir", "//srv"),
    "oci relative": scoped("oci", "srv"),
    "oci-archive root": scoped("oci-archive", "/"),
    "sif with dot": scoped("sif", "/./x"),
    "docker-archive": scoped("docker-archive", "/srv/app.tar"),
    "tarball": scoped("tarball", "/srv/app.tar"),
    "docker-daemon with an id": scoped("docker-daemon", DIGEST),
    "atomic too deep": scoped("atomic", "host/ns/stream/more"),
    "atomic with a port in the path": scoped("atomic", "host/n:s/stream"),
    "sigstore without keys": sigstore(),
    "two keys": sigstore(keyData=KEY, keyPath="a"),
    "key and fulcio": sigstore(keyData=KEY, fulcio=FULCIO, rekorPublicKeyData=KEY),
    "no keyPaths": sigstore(keyPaths=[]),
    "no keyDatas": sigstore(keyDatas=[]),
    "keyPath is empty": sigstore(keyPath=""),
    "keyData is no base64": sigstore(keyData="a!"),
    "keyData is a number": sigstore(keyData=1),
    "two rekors": sigstore(keyData=KEY, rekorPublicKeyPath="a", rekorPublicKeyData=KEY),
    "no rekors": sigstore(keyData=KEY, rekorPublicKeyPaths=[]),
    "fulcio without rekor": sigstore(fulcio=FULCIO),
    "fulcio without an issuer": sigstore(fulcio={**FULCIO, "oidcIssuer": ""}, rekorPublicKeyData=KEY),
    "fulcio with two roots": sigstore(fulcio={**FULCIO, "caPath": "a"}, rekorPublicKeyData=KEY),
    "fulcio without a root": sigstore(
        fulcio={"oidcIssuer": "a", "subjectEmail": "b"}, rekorPublicKeyData=KEY
    ),
    "fulcio with more": sigstore(fulcio={**FULCIO, "more": "a"}, rekorPublicKeyData=KEY),
    "fulcio is null": sigstore(fulcio=None, rekorPublicKeyData=KEY),
    "pki with rekor": sigstore(pki=PKI, rekorPublicKeyData=KEY),
    "pki without a subject": sigstore(pki={"caRootsPath": "a"}),
    "pki with two intermediates": sigstore(
        pki={**PKI, "caIntermediatesPath": "a", "caIntermediatesData": KEY}
    ),
    "keyDatas of signedBy": signed_by(keyDatas=[KEY]),
    "signedBy without keys": signed_by(),
    "signedBy with two": signed_by(keyPath="a", keyData=KEY),
    "signedBy without a type": policy({"type": "signedBy", "keyPath": "a"}),
    "signedBy of another type": policy({"type": "signedBy", "keyType": "gpgKeys", "keyPath": "a"}),
    "signedBaseLayer without": policy({"type": "signedBaseLayer"}),
    "identity is null": sigstore(keyData=KEY, signedIdentity=None),
    "identity of no type": identity(),
    "identity of another type": identity(type="matchAll"),
    "matchExact with more": identity(type="matchExact", dockerReference="a:b"),
    "exactReference without a tag": identity(type="exactReference", dockerReference="example.com/app"),
    "exactReference with capitals": identity(type="exactReference", dockerReference="example.com/App:v1"),
    "exactReference of an id": identity(type="exactReference", dockerReference="ab" * 32),
    "exactRepository wrong": identity(type="exactRepository", dockerRepository="https://example.com/app"),
    "exactRepository missing": identity(type="exactRepository"),
    "remapIdentity without": identity(type="remapIdentity", prefix="a.com"),
    "remapIdentity with a slash": identity(type="remapIdentity", prefix="a.com/", signedPrefix="b.com"),
    "remapIdentity with a tag": identity(type="remapIdentity", prefix="a.com/x:v1", signedPrefix="b.com"),
    "remapIdentity of nothing": identity(type="remapIdentity", prefix="", signedPrefix="b.com"),
}

ONLY_THERE = {
    "not UTF-8": '{"default": [{"type": "reject"}], "transports": {"\udcff": {"": [{"type": "reject"}]}}}',
    "null for a path": sigstore(keyPath=None, keyData=KEY),
    "an empty path": sigstore(keyPath="", keyData=KEY),
    "a list of bytes": sigstore(keyData=[1, 2, 3]),
    "signedBy without any key": signed_by(keyPaths=[]),
    "sha384": identity(type="exactReference", dockerReference=f"a@sha384:{'ab' * 48}"),
}
"""What containers/image loads and udist refuses. Nothing is the other way round."""

STORAGE_LOADED = {
    "storage": scoped("containers-storage", "[/var/lib]", "[overlay@/var/lib]", "[overlay@/var/lib]name:tag"),
    "storage with digest": scoped("containers-storage", f"[/var]name@{DIGEST}", f"[/var]@{'ab' * 32}"),
    "storage with both": scoped("containers-storage", f"[/var]name@{DIGEST}@{'ab' * 32}"),
}
STORAGE_REFUSED = {
    "storage without a place": scoped("containers-storage", "name"),
    "storage relative": scoped("containers-storage", "[var]"),
    "storage without an end": scoped("containers-storage", "[/var"),
    "storage of nothing": scoped("containers-storage", "[]"),
    "storage without a driver": scoped("containers-storage", "[@/var]"),
    "storage, driver and relative": scoped("containers-storage", "[overlay@var]"),
    "storage with a bad digest": scoped("containers-storage", "[/var]name@sha256:ab"),
    "storage with a bad id": scoped("containers-storage", f"[/var]name@{DIGEST}@ab"),
}
"""Scopes of containers-storage, which the program that is asked is built without."""
