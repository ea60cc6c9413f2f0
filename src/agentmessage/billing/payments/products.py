"""What credit can be bought in: reads `products.toml` and the setting that ties amounts to Stripe's products."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from agentmessage.billing.payments.model import Product

FILE = Path(__file__).with_name("products.toml")
PAIR = re.compile(r"([0-9]{1,9})=([A-Za-z0-9_]{1,255})")


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    product: list[Product]


@cache
def products(setting: str = "") -> Sequence[Product]:
    """What is sold, cheapest first; `setting` is as `500=prod_A,2000=prod_B`.

    Raises ValueError for a setting that is written otherwise, or names an amount that is not sold.
    """
    sold = sorted(msgspec.toml.decode(FILE.read_bytes(), type=_Document).product, key=lambda one: one.amount_cents)
    booked = dict(_pair(part) for part in setting.split(",")) if setting else {}
    strange = booked.keys() - {product.amount_cents for product in sold}
    if strange:
        raise ValueError(f"no top-up of {min(strange)} cents is sold")
    return [_booked_under(product, booked) for product in sold]


def _booked_under(product: Product, booked: Mapping[int, str]) -> Product:
    known = booked.get(product.amount_cents)
    if known is None:
        return product
    return msgspec.structs.replace(product, stripe_product_id=known, is_in_stripe=True)


def _pair(text: str) -> tuple[int, str]:
    found = PAIR.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text.strip()!r} is not an amount in cents and a product, as 500=prod_A")
    return int(found[1]), found[2]
