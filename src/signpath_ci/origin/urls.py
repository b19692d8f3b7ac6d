"""URLs that may be shown and sent: whatever could be a secret is left out.

Tokens stand in the password (`https://x:TOKEN@host`), in the user (`https://TOKEN@host`) or in the query
(`?private_token=TOKEN`), so over HTTP nothing but scheme, host, port and path is kept. In ssh the user is the account
to log in with (`git`) and stays; a password does not.
"""

from __future__ import annotations

import re
from urllib.parse import quote

# <https://git-scm.com/docs/git-clone#_git_urls>: the form with `//`, then scp's, which has no slash before its colon.
_WITH_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.:-]*)://(?P<authority>[^/?#\\]*)(?P<path>[^?#]*)", re.DOTALL)
_SCP = re.compile(r"(?P<user>[^\s@:/]+@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s@:/\\\[\]]{2,}):(?P<path>(?!:)[^?#]+)")
_HOST = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S*")
_SSH = frozenset({"ssh", "git+ssh", "ssh+git"})
_PATH_CHARACTERS = "/%:@!$&'()*+,;=~"


def public_url(url: str) -> str | None:
    """Return `url` without user info, query and fragment; an ssh remote keeps its user, a path stays as it is.

    Returns:
        `None` where it can't be known which part is the host, and so which part may be a secret.
    """
    found = _WITH_SCHEME.match(url)
    if found:
        scheme, authority, path = found["scheme"], found["authority"], found["path"]
        user_info, at, host = authority.rpartition("@")
        if scheme.lower() == "file":
            return f"{scheme}://{host}{path}"
        if not _HOST.fullmatch(host) or "\\" in path:
            return None
        user = user_info.partition(":")[0] + at if scheme.lower() in _SSH else ""
        return f"{scheme}://{user}{host}{quote(path, safe=_PATH_CHARACTERS)}"
    found = _SCP.fullmatch(url)
    if found:
        # `user:password@host:path` reads as host `user` with an `@` in the path.
        return url if found["user"] or "@" not in found["path"] else None
    # A path on this machine; `helper::address` and what looks like `user:password@host` are not one.
    is_path = url.startswith(("/", ".", "~")) or re.match(r"[A-Za-z]:[\\/]", url)
    return url if is_path or not re.search(r"[@:?]", url) else None


def without_secrets(text: str) -> str:
    """Return `text`, a message or a name, with every URL in it reduced to what `public_url` keeps."""
    return _IN_TEXT.sub(lambda found: public_url(found[0]) or "(URL)", text)


def joined(base: str, *segments: str) -> str:
    """Append `segments` to `base`, one slash between them, each quoted for a URL's path."""
    return "/".join([base.rstrip("/"), *(quote(segment, safe="") for segment in segments)])
