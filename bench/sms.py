"""How long it takes to measure a text, which admission does for every one, beside the libraries it is tested against.

python -m bench.sms
"""

import time
from collections.abc import Callable

import gsm0338
import smsutil

from agentmessage.sms.keywords import classify
from agentmessage.sms.numbers import state, zones
from agentmessage.sms.segments import measure, split

ROUNDS = 7
TEXTS = {
    "160 ASCII": "Your order 4711 is ready. " * 6 + "Bye.",
    "1,600 ASCII": "Your order 4711 is ready. " * 61 + "Come by today.",
    "160 accented": "Señor, el café está abierto. " * 5 + "Adiós, Jösé y Ñu",
    "120 of JSON": '{"order": [4711], "state": "ready"} ' * 3 + "{ok: [true]}",
    "160 Cyrillic": "Ваш заказ готов, приходите. " * 5 + "До скорого свидания!",
    "100 and an emoji": "Your order 4711 is ready. " * 4 + "\U0001f600",
}


def ns_each(call: Callable[[], object], *, seconds: float = 0.1) -> float:
    """Nanoseconds per call: the best of some rounds, each of about `seconds` in all."""
    began = time.perf_counter()
    call()
    times = max(1, int(seconds / ROUNDS / max(time.perf_counter() - began, 1e-7)))
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(times):
            call()
        best = min(best, (time.perf_counter() - began) / times)
    return best * 1e9


def oracle(text: str) -> int:
    """Coding by gsm0338 and parts by smsutil, which is what `measure` tells in one go."""
    try:
        gsm0338.Codec().encode(text)
    except UnicodeEncodeError:
        return len(smsutil.unicode_split(text).parts)
    return len(smsutil.gsm_split(text).parts)


def main() -> None:
    """Print nanoseconds."""
    print(f"{'text':18}{'measure':>10}{'split':>10}{'classify':>10}{'oracles':>12}   ns each")
    for name, text in TEXTS.items():
        calls: list[Callable[[], object]] = [
            lambda text=text: measure(text),
            lambda text=text: split(text),
            lambda text=text: classify(text),
            lambda text=text: oracle(text),
        ]
        print(f"{name:18}" + "".join(f"{ns_each(call):{12 if call is calls[-1] else 10},.0f}" for call in calls))
    print(f"{'zones(+1…)':18}{ns_each(lambda: zones('+12085550100')):>10,.0f}")
    print(f"{'state(+1…)':18}{ns_each(lambda: state('+12085550100')):>10,.0f}")


if __name__ == "__main__":
    main()
