"""Pseudonyms: an address becomes an id through a secret key that lies outside the data.

The same address and key give the same id, so that a person's waves stay together; without the key nobody can go back,
nor find out by trying addresses. Whoever loses the key cannot join another wave to those before.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from data_schemas.catalogues import Misdescribed
from evalkit.errors import Refused
from evalkit.reading.mapping import Pseudonyms

HEX_DIGITS = 12
"""Of the hash, 48 bits: among 10,000 addresses two share an id once in five million keys."""

LEAST_KEY = 32
"""Letters a key must have: 16 random bytes."""


def pseudonym(address: str, key: bytes) -> str:
    """The id of an address, capitals and spaces around it aside.

    >>> pseudonym("A.Person@example.org", b"secret") == pseudonym(" a.person@example.org ", b"secret")
    True
    """
    return "R" + _hashed(address.strip().casefold(), key)[:HEX_DIGITS]


def sign(key: bytes) -> str:
    """Eight letters that show whether a key is the same, and nothing else about it."""
    return _hashed("evalkit: which key is this?", key)[:8]


def make_key(path: Path) -> Path:
    """A new key in a file of its own. Raises Refused rather than write over an old one."""
    if path.exists():
        raise Refused(f"{path.name} is there already: without the old key, the waves before could not be joined.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(secrets.token_hex(32) + "\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def read_key(path: Path) -> bytes:
    """The key in a file. Raises Misdescribed where there is none, or too short a one."""
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError):
        raise Misdescribed(
            "The key that makes pseudonyms is not there.",
            "Put it where [pseudonyms] key says; for a first wave make one: evalkit pseudonym --new, and the path.",
            value=path.name,
        ) from None
    if len(text) < LEAST_KEY:
        raise Misdescribed(
            "The key that makes pseudonyms is too short to be safe.", "Make one: evalkit pseudonym --new."
        )
    return text.encode()


def key_for(folder: Path, said: Pseudonyms) -> bytes:
    """The key of a programme's folder, which must lie outside it and be the one used before."""
    if not said.key:
        raise Misdescribed(
            "The mapping makes pseudonyms and nothing says with which key.",
            'Write [pseudonyms] and under it key = "../pseudonyms.key" in programme.toml.',
        )
    path = (folder / said.key).resolve()
    if path.is_relative_to(folder.resolve()):
        raise Misdescribed(
            "The key that makes pseudonyms lies in the data folder: whoever has the data has the key.",
            'Keep it elsewhere, such as key = "../pseudonyms.key".',
            value=said.key,
        )
    key = read_key(path)
    if said.check != sign(key):
        was = (
            "This is not the key the pseudonyms were made with before."
            if said.check
            else "Nothing says which key it is."
        )
        raise Misdescribed(
            was,
            f'Find the old key; if this one is right, write check = "{sign(key)}" under [pseudonyms].',
            value=said.check,
        )
    return key


def _hashed(text: str, key: bytes) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
