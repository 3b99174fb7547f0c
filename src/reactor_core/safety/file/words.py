"""What the name of a file tool says that it does."""

from __future__ import annotations

import re
from enum import StrEnum

__all__ = ["Deed", "deed_of", "words_of"]


class Deed(StrEnum):
    """What a file tool does."""

    LOOK = "look"
    READ = "read"
    WRITE = "write"
    EDIT = "edit"
    APPEND = "append"
    DELETE = "delete"
    TRASH = "trash"
    MOVE = "move"
    COPY = "copy"
    MAKE = "make"
    MODE = "mode"
    OWNER = "owner"
    LINK = "link"
    PACK = "pack"
    UNPACK = "unpack"
    EMPTY = "empty"
    RESTORE = "restore"
    UPLOAD = "upload"
    DOWNLOAD = "download"
    RUN = "run"
    SHARE = "share"
    ENCRYPT = "encrypt"
    FORMAT = "format"
    MOUNT = "mount"
    UNKNOWN = "unknown"


_WORDS: tuple[tuple[Deed, str], ...] = (
    (Deed.RESTORE, "restore undelete untrash recover undo rollback putback revert"),
    (Deed.ENCRYPT, "encrypt decrypt"),
    (Deed.FORMAT, "format mkfs partition repartition wipefs"),
    (Deed.MOUNT, "mount unmount umount eject remount"),
    (Deed.TRASH, "trash recycle bin"),
    (
        Deed.DELETE,
        "delete remove rm rmtree rmdir unlink purge shred erase wipe del discard clean cleanup prune "
        "destroy clear drop",
    ),
    (Deed.EMPTY, "truncate empty zero"),
    (Deed.APPEND, "append prepend"),
    (
        Deed.MODE,
        "chmod permissions permission mode acl setfacl facl attributes attrs chattr attribute immutable "
        "icacls perms umask",
    ),
    (Deed.OWNER, "chown owner ownership chgrp group takeown"),
    (Deed.LINK, "symlink hardlink link ln junction mklink"),
    (Deed.UNPACK, "extract unzip untar unpack decompress gunzip expand inflate"),
    (Deed.PACK, "archive zip tar pack compress gzip bundle"),
    (Deed.UPLOAD, "upload publish send transmit"),
    (Deed.SHARE, "share"),
    (Deed.DOWNLOAD, "download fetch wget"),
    (Deed.RUN, "run execute exec open_with launch invoke source"),
    (Deed.MOVE, "move mv rename relocate swap"),
    (Deed.COPY, "copy cp copytree duplicate clone sync rsync mirror backup snapshot replicate"),
    (Deed.EDIT, "edit replace patch insert substitute sed update modify change apply str_replace sub format_code"),
    (
        Deed.MAKE,
        "make mkdir mkdirs makedirs touch mktemp mkdtemp create_dir create_directory create_folder "
        "mkfifo new_folder ensure",
    ),
    (Deed.WRITE, "write save put create overwrite dump store set export new render generate"),
    (
        Deed.LOOK,
        "list ls stat exists search grep find glob diff compare count hash checksum tree info metadata "
        "du size watch walk locate which  lint validate check verify describe is has inspect lookup scan "
        "resolve realpath usage analyze measure sha256 md5 test preview unshare  getfacl detect query "
        "unshare index lsattr mtime get_permissions",
    ),
    (Deed.READ, "read cat view head tail load get show print open peek parse display less more hexdump strings"),
)
_DEEDS = {word: deed for deed, words in _WORDS for word in words.split()}
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")
_RIGHTS = {"executable", "writable", "readable", "public", "private", "permissions", "mode"}
_LOOKING_FIRST = {
    "list",
    "get",
    "read",
    "is",
    "has",
    "count",
    "search",
    "find",
    "show",
    "check",
    "stat",
    "view",
    "preview",
    "lint",
    "test",
}


def words_of(name: str) -> list[str]:
    """``deletePath`` and ``delete_path`` as ``["delete", "path"]``."""
    return [part.lower() for part in _PARTS.findall(name)]


def deed_of(name: str) -> Deed:
    """What a tool of this name does: its first telling word decides, its other words may say more exactly."""
    lower = name.lower()
    if lower in _DEEDS:
        return _DEEDS[lower]
    words = words_of(name)
    if not words:
        return Deed.UNKNOWN
    rest = set(words[1:])
    first = _DEEDS.get(words[0])
    if first is Deed.EMPTY and rest & {"trash", "bin", "recycle", "dir", "directory", "folder"}:
        return Deed.DELETE
    if words[0] in {"secure", "safe", "force"} and len(words) > 1:
        return deed_of("_".join(words[1:]))
    if words[0] in {"make", "create", "new", "ensure", "add", "set", "put", "write"}:
        for word, deed in (
            ("symlink", Deed.LINK),
            ("link", Deed.LINK),
            ("hardlink", Deed.LINK),
            ("archive", Deed.PACK),
            ("zip", Deed.PACK),
            ("dir", Deed.MAKE),
            ("directory", Deed.MAKE),
            ("folder", Deed.MAKE),
            ("dirs", Deed.MAKE),
            ("temp", Deed.MAKE),
            ("backup", Deed.COPY),
            ("permissions", Deed.MODE),
            ("mode", Deed.MODE),
            ("acl", Deed.MODE),
            ("owner", Deed.OWNER),
            ("attributes", Deed.MODE),
            ("immutable", Deed.MODE),
            ("attr", Deed.MODE),
            ("readonly", Deed.MODE),
        ):
            if word in rest:
                return deed
    if words[0] in {"make", "set"} and rest & _RIGHTS and not rest & {"file", "content", "text"}:
        return Deed.MODE
    if words[0] in {"move", "send", "mv"} and rest & {"trash", "bin", "recycle"}:
        return Deed.TRASH
    if words[0] == "get" and rest & {
        "info",
        "metadata",
        "size",
        "stat",
        "stats",
        "hash",
        "mtime",
        "permissions",
        "owner",
        "type",
    }:
        return Deed.LOOK
    if words[0] in _LOOKING_FIRST and first is not None:
        return first
    return first or next((_DEEDS[word] for word in words[1:] if word in _DEEDS), Deed.UNKNOWN)
