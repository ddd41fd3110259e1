"""What may be shown of text that can hold a secret: a login, a signature, a token."""

from __future__ import annotations

import re

from udist_plugin.typed import Final

MASK: Final = "******"
SHOWN_MAX: Final = 500
"""Characters shown of what a service says: a proxy's error may be a whole page."""

_QUERY: Final = r"(?<=\S)\?\S*\w"


def shown(problem: object) -> str:
    """``problem`` with URLs cut short: a query may be a key (a shared access signature, an upload's id)."""
    text = re.sub(_QUERY, "", str(problem))
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"


def without_login(url: str) -> str:
    """``url`` with the user and the password in it masked."""
    return re.sub(r"//[^/?#\s]*@", f"//{MASK}@", url)


def without_query(text: str) -> str:
    """``text`` with the values in the queries of its URLs masked: a signature or a token may be one."""
    return re.sub(r"(?<=://)([^?#\s]*\?)([^#\s]+)", lambda url: url[1] + _masked(url[2]), text)


def _masked(query: str) -> str:
    return "&".join(re.sub(r"^([^=]*=)?.+", rf"\g<1>{MASK}", part) for part in query.split("&"))
