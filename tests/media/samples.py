"""The beginning of one file of every kind that can be sent."""

from agentmessage.media.file_types import MediaType

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\0" * 64
SAMPLES: dict[MediaType, bytes] = {
    MediaType.JPEG: b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + b"\0" * 32,
    MediaType.PNG: PNG,
    MediaType.GIF: b"GIF89a\x01\x00\x01\x00" + b"\0" * 32,
    MediaType.BMP: b"BM" + (70).to_bytes(4, "little") + b"\0" * 4 + (54).to_bytes(4, "little")
    + (40).to_bytes(4, "little") + b"\0" * 52,
    MediaType.TIFF: b"II*\x00\x08\x00\x00\x00" + b"\0" * 32,
    MediaType.WEBP: b"RIFF\x24\x00\x00\x00WEBPVP8 " + b"\0" * 32,
    MediaType.MP4: b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\0" * 32,
    MediaType.THREE_GPP: b"\x00\x00\x00\x18ftyp3gp4\x00\x00\x00\x003gp4isom" + b"\0" * 32,
    MediaType.QUICKTIME: b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  " + b"\0" * 32,
    MediaType.MP3: b"\xff\xfb\x90\x64\x00\x00" + b"\0" * 64,
    MediaType.WAV: b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\0" * 32,
    MediaType.AMR: b"#!AMR\n" + b"\x3c" * 32,
    MediaType.OGG: b"OggS\x00\x02" + b"\0" * 32,
    MediaType.PDF: b"%PDF-1.7\n" + b"\0" * 32,
    MediaType.VCARD: b"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Acme\r\nEND:VCARD\r\n",
    MediaType.CALENDAR: b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n",
}  # fmt: skip
