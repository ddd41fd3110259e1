"""The version of the package, in the one place where it is written down, and what it means to a peer."""

__version__ = "0.1.0"

IMPLEMENTATION = f"udist-python/{__version__}"
"""How this package names itself to its peer."""

SAME_RELEASE = "use a plugin and a client of the same release"


def naming_release(problem: str) -> str:
    """A problem with versions of the protocol, with the name of this side and what to do."""
    return problem if IMPLEMENTATION in problem else f"{problem} ({IMPLEMENTATION}); {SAME_RELEASE}"


def other_release(peer: str) -> str:
    """What to tell the user if ``peer`` names another release of udist; else empty."""
    product, _, version = peer.partition("/")
    if not product.startswith("udist-") or version == __version__ or len(peer) > 64 or not peer.isprintable():
        return ""
    return f"the plugin is {peer}, and this client {IMPLEMENTATION}: {SAME_RELEASE}"
