"""Octets that nobody would send, by the hundred thousand."""

import random
from collections import Counter

import pytest

from agentmessage.smpp.codec import decode, decode_submit_sm_resp, encode
from agentmessage.smpp.errors import MalformedPdu
from agentmessage.smpp.framing import Framer
from agentmessage.smpp.pdu import HEADER_BYTES, DataSm, DeliverSm, Status
from agentmessage.smpp.receipts import read
from tests.smpp.samples import SAMPLES

FRAMES = [encode(pdu, sequence=1) for pdu in SAMPLES]
COMMANDS = [frame[4:8] for frame in FRAMES]
INPUTS = 100_000


def mutated(rng: random.Random) -> bytes:
    """A frame of a PDU with some octets changed, cut out, doubled or put in; mostly with the right length still."""
    octets = bytearray(rng.choice(FRAMES)[:600])
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(octets))
        match rng.randrange(5):
            case 0:
                octets[at] = rng.randrange(256)
            case 1:
                del octets[at : at + rng.randrange(1, 30)]
            case 2:
                octets[at:at] = octets[at : at + rng.randrange(1, 30)]
            case 3:
                octets[at:at] = rng.randbytes(rng.randrange(1, 8))
            case _:
                octets[at] ^= 1 << rng.randrange(8)
        if len(octets) < 16:
            octets += bytes(16 - len(octets))
    if rng.random() < 0.9:
        octets[:4] = len(octets).to_bytes(4, "big")
    return bytes(octets)


def made_up(rng: random.Random) -> bytes:
    """A right head, of a command that we know, and any octets behind it."""
    body = (
        rng.randbytes(rng.randrange(120)) if rng.random() < 0.5 else bytes(rng.choices(b"\0\1a", k=rng.randrange(90)))
    )
    return (16 + len(body)).to_bytes(4, "big") + rng.choice(COMMANDS) + rng.randbytes(8) + body


def look_at(frame: bytes) -> bool:
    """Decodes by every way in; what was read must survive another round. Whether it was read."""
    if len(frame) >= HEADER_BYTES:
        decode_submit_sm_resp(frame)
    try:
        packet = decode(frame)
    except MalformedPdu:
        return False
    if isinstance(packet.pdu, DeliverSm | DataSm):
        read(packet.pdu)
    again = decode(encode(packet.pdu, sequence=packet.sequence, status=packet.status))
    assert (again.pdu, again.sequence) == (packet.pdu, packet.sequence)
    return True


def cut_up(rng: random.Random, stream: bytes) -> tuple[int, int | None]:
    """Feeds a stream in pieces: how many octets came out as frames, and the status it ended with, if it did."""
    framer, taken = Framer(), 0
    try:
        while stream:
            size = rng.randrange(1, 400)
            framer.append(stream[:size])
            stream = stream[size:]
            while (frame := framer.next()) is not None:
                taken += len(frame)
                look_at(frame)
    except MalformedPdu as refusal:
        return taken, refusal.status
    return taken, None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_the_octets_are_only_a_malformed_pdu_is_raised(seed: int) -> None:
    """300,000 inputs in all, of which a good part must still be PDUs, or it would try nothing."""
    rng = random.Random(seed)

    understood = sum(look_at(mutated(rng) if n % 2 else made_up(rng)) for n in range(INPUTS))

    assert INPUTS * 0.1 < understood < INPUTS * 0.9


@pytest.mark.parametrize("seed", [4, 5])
def test_a_stream_of_anything_is_cut_into_pdus_or_ended(seed: int) -> None:
    rng = random.Random(seed)
    ends: Counter[int | None] = Counter()
    for _ in range(2_000):
        frames = [rng.choice(FRAMES) for _ in range(rng.randrange(4))]
        spoilt = mutated(rng) + b"".join(rng.choice(FRAMES) for _ in range(3))

        taken, status = cut_up(rng, b"".join(frames) + spoilt)

        assert taken >= sum(map(len, frames)), "what came before the damage is taken"
        ends[status] += 1

    assert set(ends) == {None, Status.INVALID_COMMAND_LENGTH}
