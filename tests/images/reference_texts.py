"""Image names, right and wrong, on which containers/image's verdict and ours are compared."""

from __future__ import annotations

SHA = "sha256:" + "a1" * 32
SHA512 = "sha512:" + "b2" * 64

NAMES = [
    *("busybox", "library/busybox", "team/app", "a/b/c/d", "docker.io/busybox", "docker.io/library/busybox"),
    *("index.docker.io/busybox", "index.docker.io/team/app", "docker.io/team/app", "localhost/app"),
    *(
        "localhost:5000/app",
        "LOCALHOST/app",
        "Localhost:5000/app",
        "r.test/app",
        "R.Test/app",
        "r.test:443/a/b",
    ),
    *("127.0.0.1:5000/app", "127.0.0.1/app", "[::1]:5000/app", "[::1]/app", "r_t.test/app", "r.test:/app"),
    *("r.test:abc/app", "-r.test/app", "r-.test/app", "r..test/app", ".test/app", "test./app", "r.test//app"),
    *(
        "a--b",
        "a---b/c",
        "a_b",
        "a__b",
        "a___b",
        "a.b",
        "a..b",
        "a._b",
        "a-",
        "-a",
        "a_",
        "_a",
        "a.",
        "A",
        "aB",
    ),
    *("team/App", "Team/app", "r.test/App", "a/", "/a", "a//b", "", " ", "a b", " a", "a ", "a\n", "a\tb"),
    *("größe", "a/ü", "a%20b", "a?b", "a#b", "a&b", "a~b", "a+b", "a=b", "a,b", "a*b", "a\\b", "a'b"),
    *("a:", "a:v1", "a:V1", "a:v1.0-rc_2", "a:_x", "a:.x", "a:-x", "a:v1+build", "a:v 1", "a:ü"),
    *(f"a:{'t' * 128}", f"a:{'t' * 129}", "r.test:5000/a:v1", "r.test:5000/a:v1:v2", "a:v1/b", "a:5000/b"),
    *(
        f"a@{SHA}",
        f"a@{SHA512}",
        f"a:v1@{SHA}",
        f"r.test/a@{SHA}",
        f"a@{SHA[:-1]}",
        f"a@{SHA}0",
        f"a@{SHA.upper()}",
    ),
    *(
        "a@",
        "a@sha256:",
        "a@sha256",
        "a@md5:" + "a" * 32,
        "a@sha384:" + "a" * 96,
        f"@{SHA}",
        SHA,
        "a@@" + SHA,
    ),
    *("a1" * 32, f"r.test/{'a1' * 32}", f"{'a1' * 32}:v1", "a" * 63, "a" * 65, "f" * 64, "F" * 64),
    *(f"r.test/{'a' * 248}", f"r.test/{'a' * 249}", f"{'a' * 237}", f"{'a' * 238}", f"{'a/' * 120}a"),
    *(
        "https://r.test/a",
        "http://r.test/a:v1",
        "docker://a",
        "//a",
        "a://b",
        "@@unknown-digest@@",
        "a@@unknown-digest@@",
    ),
    *(
        "r.test/a:latest",
        "docker.io",
        "docker.io/",
        "docker.io/library",
        "library",
        "localhost",
        "localhost:5000",
    ),
    *("r.test", "r.test:80", "0", "0/0", "0.0/0", "xn--a/b", "xn--a.test/b", "a.b:1/c", "a:1/c", "a:b/c:d"),
]
PLACES = [
    *(
        "",
        ":",
        "/x",
        "/x:",
        "/x:v1",
        "x",
        "x:v1",
        "./x:v1",
        "../x:v1",
        "/x/y:v1",
        "/x:a/b",
        "/x:a:b",
        "/x:a@b",
    ),
    *("/x:r.test/a:v1", "/x:r.test:5000/a/b:v1", "/x:a--b", "/x:a---b", "/x:a__b", "/x:.a", "/x:a.", "/x:-a"),
    *("/x:a b", "/x: a", "/x:a+b", "/x:ü", "/x:a//b", "/x:a/", "/x:/a", "/x::", "/x::a", "/x:A", "/x:a_B.c"),
    *("/x:@0", "/x:@1", "/x:@-1", "/x:@", "/x:@a", "/x:@+1", "/x:@01", "/x:@1 ", f"/x:@{SHA}", f"/x:a@{SHA}"),
    *("/x y:v1", "/ü:v1", "/x\n:v1", "-", "-:v1", "/x:@99999999999999999999", "/x:a:b@c", f"/x:{'a' * 300}"),
]
DIRECTORIES = ["", "/x", "/x:y", "x", ".", "..", "/x/../y", "/x y", "/ü", "/", "/x/"]
OTHERS = [
    "",
    "docker",
    "oci",
    ":",
    "docker:",
    "docker:a",
    "docker:/a",
    "nothing:a",
    "DOCKER://a",
    " docker://a",
]

_ALL = [
    *(f"docker://{name}" for name in NAMES),
    *(f"docker-archive:/x:{name}" for name in NAMES),
    *(f"{transport}:{place}" for transport in ("oci", "oci-archive", "docker-archive") for place in PLACES),
    *(f"dir:{path}" for path in DIRECTORIES),
    *OTHERS,
]
TEXTS = list(dict.fromkeys(_ALL))

UNREGISTERED = "sha384 is no algorithm that the image-spec registers"
UNKNOWN_DIGEST = "@@unknown-digest@@ is a way to write without a tag, which the library's own callers use"
UNDERSCORE = "a host has no underscore; there, this is a name without a host"
EMPTY = "the path is empty, which there fails later"
PARENT = "there, the folder that the path lies in has to exist"
DIGEST = "there, an image of a layout cannot be given by its digest"
POSITION = "there, an image of an archived layout cannot be given by its position"

DIFFERENCES = {
    **dict.fromkeys(("docker://r_t.test/app", "docker-archive:/x:r_t.test/app"), UNDERSCORE),
    f"docker://a@sha384:{'a' * 96}": UNREGISTERED,
    "docker://a@@unknown-digest@@": UNKNOWN_DIGEST,
    **dict.fromkeys(("oci:", "oci::", "oci-archive:", "oci-archive::", "dir:"), EMPTY),
    **dict.fromkeys(("oci:/x/y:v1", "oci-archive:/x/y:v1", "dir:/x/"), PARENT),
    **dict.fromkeys((f"oci:/x:@{SHA}", f"oci-archive:/x:@{SHA}"), DIGEST),
    **dict.fromkeys([f"oci-archive:/x:@{each}" for each in ("0", "1", "+1", "01")], POSITION),
}
"""Texts that containers/image and we judge differently, and why."""
