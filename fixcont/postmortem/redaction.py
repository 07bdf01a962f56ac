"""Keeping secrets out of a saved stop: values whose name says that they are one, and copies of them elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

#: Words of a name that make its value a secret, in lower case; parts of a word do not count: `author`, `tokenizer`.
WORDS: Final = (
    "password", "passwords", "passwd", "pwd", "passphrase", "passcode", "secret", "secrets", "token", "tokens", "authorization",
    "auth", "bearer", "jwt", "otp", "credential", "credentials", "cookie", "cookies", "csrf", "xsrf", "session id", "sessionid",
    "api key", "apikey", "api keys", "access key", "secret key", "private key", "encryption key", "signing key", "ssh key",
    "connection string", "dsn", "database url",
)  # fmt: skip
#: What is written in the place of a secret inside of a longer text.
MARK: Final = "[redacted]"
#: Shorter texts are not looked for elsewhere: they would be found everywhere.
_TELLING: Final = 6
_COPIES: Final = 1_000  # secrets that are looked for
_NAME: Final = 100  # characters of a name that are looked at
_REMEMBERED: Final = 10_000
_ADDRESS: Final = 1_000

_BEFORE_CAPITAL: Final = r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
_BETWEEN: Final = r"[^A-Za-z0-9]+"
_IN_URL: Final = r"(?<=://)([^/\s:@]*):([^/\s@]+)(?=@)"
#: Compiles a pattern where it is needed first: that takes longer than a save of a few variables.
_compiled: Final = lru_cache(maxsize=None)(re.compile)


class Redaction:
    """Tells which names are of secrets, and takes what these held out of texts.

    Args:
        more: words besides `WORDS`.
    """

    def __init__(self, more: Sequence[str] = ()) -> None:
        self._phrases: dict[str, list[list[str]]] = {}  # first word -> the phrases that begin with it
        for phrase in (*map(str.split, WORDS), *map(_words, more)):
            if phrase:
                self._phrases.setdefault(phrase[0], []).append(phrase)
        self._known: dict[str, bool] = {}
        self._secrets: set[str] = set()
        self._finder: re.Pattern[str] | None = None

    def is_secret(self, name: str) -> bool:
        """Tell whether what has this name is a secret."""
        known = self._known.get(name)
        if known is None:
            words = _words(name[:_NAME])
            known = any(
                words[at : at + len(phrase)] == phrase for at, word in enumerate(words) for phrase in self._phrases.get(word, ())
            )
            if len(self._known) < _REMEMBERED:
                self._known[name] = known
        return known

    def note(self, value: object) -> None:
        """Remember a text that is a secret, to be found where it is copied or quoted."""
        if type(value) is bytes and len(value) <= _NAME:
            value = value.decode("latin-1")
        if type(value) is str and len(value) >= _TELLING and len(self._secrets) < _COPIES:
            self._secrets.add(value)
            self._finder = None

    def note_address(self, text: str) -> None:
        """Remember the password in an address such as `postgres://user:password@host/`."""
        found = _compiled(_IN_URL).search(text[:_ADDRESS])
        if found is not None:
            self.note(found[2])

    @property
    def has_secrets(self) -> bool:
        return bool(self._secrets)

    def scrub(self, text: str) -> str:
        """Give a text without the secrets that are known, and without passwords in addresses."""
        if "://" in text:
            text = _compiled(_IN_URL).sub(rf"\1:{MARK}", text)
        if not self._secrets:
            return text
        if self._finder is None:
            # As they are quoted in a `repr` as well.
            forms = {form for secret in self._secrets for form in (secret, repr(secret)[1:-1])}
            self._finder = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))))
        return self._finder.sub(MARK, text)

    def scrub_source(self, text: str) -> str:
        """Give a text of code without the literals that are secrets. Other words stay: a `token` may be the name of a keyword."""
        for secret in self._secrets:
            for quote in "'\"":
                text = text.replace(f"{quote}{secret}{quote}", f"{quote}{MARK}{quote}")
        return text

    def arguments(self, words: Iterable[str]) -> list[str]:
        """Give the words of a command line without the values of options that are secrets."""
        given: list[str] = []
        hides_next = False
        for word in words:
            name, equals, value = word.partition("=")
            if hides_next and not word.startswith("-"):
                self.note(word)
                word = MARK
            elif equals and self.is_secret(name):
                self.note(value)
                word = f"{name}={MARK}"
            hides_next = not equals and word.startswith("-") and self.is_secret(name)
            given.append(self.scrub(word))
        return given


def _words(name: str) -> list[str]:
    if name.isidentifier() and name.isascii():
        if not name.islower():
            name = _compiled(_BEFORE_CAPITAL).sub("_", name).lower()
        return name.replace("_", " ").split()
    return _compiled(_BETWEEN).sub(" ", _compiled(_BEFORE_CAPITAL).sub(" ", name)).lower().split()
