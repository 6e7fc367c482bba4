"""A file of numbered documents, as received: what is in it, and how it is to be answered."""

from __future__ import annotations

from dataclasses import dataclass

from syncworkers.canonical.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedDocument:
    """One document that could be read. `topic` and `entity` are those of the message it becomes.

    `place` counts the documents of its group from 1, as the sender numbers them in `number`.
    """

    topic: str
    kind: Kind
    entity: str
    number: str
    place: int
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFate:
    """How a partner took one document of ours; `detail` says why it was refused.

    Without `place` it is about all of the group, without `functional_id` about all of the file of
    that number.
    """

    functional_id: str | None
    group: int
    place: int | None
    accepted: bool
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something in a file that cannot be taken: where, why, in the reader's words."""

    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedGroup:
    """Documents that are acknowledged together, by `acknowledgement`, if there is one."""

    functional_id: str
    number: str
    documents: tuple[ReceivedDocument, ...]
    refusals: tuple[Refusal, ...] = ()
    fates: tuple[DocumentFate, ...] = ()
    acknowledgement: tuple[tuple[str, ...], ...] = ()
    """Segments, the tag first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedInterchange:
    """What came under one control number; `digest` tells whether another one says the same."""

    sender: str
    receiver: str
    usage: str
    number: int
    digest: str
    groups: tuple[ReceivedGroup, ...]
    refusals: tuple[Refusal, ...] = ()
    """Of the interchange as a whole; nothing in it is taken then."""
    fates: tuple[DocumentFate, ...] = ()
    """Of files of ours that were refused as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFile:
    """All that one file brought."""

    interchanges: tuple[ReceivedInterchange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Our answer to a group; `reference` names that group for ever."""

    reference: str
    segments: tuple[tuple[str, ...], ...]
