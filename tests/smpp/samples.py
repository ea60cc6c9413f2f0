"""One filled PDU of each kind, and some that carriers really send."""

from agentmessage.smpp import pdu as p
from agentmessage.smpp.pdu import Pdu, Tag, Tlv

TLVS = (Tlv(Tag.USER_MESSAGE_REFERENCE, b"\x00\x07"), Tlv(0x1401, b"vendor"), Tlv(0x1402, b""))
ADDRESSES = {"source_ton": 1, "source_npi": 2, "source": "12025550100"}
BOTH = ADDRESSES | {"destination_ton": 3, "destination_npi": 4, "destination": "12025550199"}
BIND = {
    "system_id": "fifteen-letters",
    "password": "8letters",
    "system_type": "VMA",
    "address_ton": 5,
    "address_npi": 6,
    "address_range": "^1202",
    "tlvs": TLVS,
}
MESSAGE = BOTH | {
    "service_type": "CMT",
    "esm_class": 0x40,
    "protocol_id": 1,
    "priority": 2,
    "schedule_delivery_time": "000000010000000R",
    "validity_period": "000002000000000R",
    "registered_delivery": 1,
    "replace_if_present": 1,
    "data_coding": 8,
    "default_message_id": 9,
    "short_message": b"\x05\x00\x03\x2a\x02\x01" + bytes(range(100)),
    "tlvs": TLVS,
}

SAMPLES: tuple[Pdu, ...] = (
    p.BindTransmitter(**BIND),
    p.BindReceiver(**BIND),
    p.BindTransceiver(**BIND),
    p.BindTransmitterResp("smsc", TLVS),
    p.BindReceiverResp("smsc"),
    p.BindTransceiverResp("", TLVS),
    p.Outbind("smsc", "8letters"),
    p.Unbind(),
    p.UnbindResp(),
    p.EnquireLink(),
    p.EnquireLinkResp(),
    p.GenericNack(),
    p.SubmitSm(**MESSAGE),
    p.SubmitSm(),
    p.SubmitSm(short_message=bytes(254)),
    p.SubmitSm(tlvs=(Tlv(Tag.MESSAGE_PAYLOAD, bytes(range(256)) * 16),)),
    p.DeliverSm(**MESSAGE),
    p.SubmitSmResp("6" * 64, TLVS),
    p.SubmitSmResp(),
    p.DeliverSmResp(),
    p.DataSm("CMT", 1, 2, "1" * 64, 3, 4, "2" * 64, 5, 6, 7, TLVS),
    p.DataSmResp("id", TLVS),
    p.QuerySm("id", **ADDRESSES),
    p.QuerySmResp("id", "261123090600000+", 2, 3),
    p.CancelSm("CMT", "id", **BOTH),
    p.CancelSmResp(),
    p.ReplaceSm(
        "id", **ADDRESSES, validity_period="000002000000000R", registered_delivery=1, short_message=b"\x00other"
    ),
    p.ReplaceSmResp(),
    p.AlertNotification(**ADDRESSES, esme_ton=1, esme_npi=1, esme="esme", tlvs=(Tlv(0x0422, b"\x00"),)),
    p.SubmitMulti(b"\x00\x01\x01\x31\x00"),
    p.SubmitMultiResp(b"id\x00\x00"),
)
