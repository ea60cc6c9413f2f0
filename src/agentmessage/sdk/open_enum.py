"""Enumerations that grow: a newer platform may send words that this library does not know."""

from enum import StrEnum
from typing import Self

from typing_extensions import override


class OpenEnum(StrEnum):
    """Words that compare equal to their text. A word that is not listed becomes a member of its own, unnamed."""

    @override
    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        word = str.__new__(cls, value)
        word._name_ = value
        word._value_ = value
        return word
