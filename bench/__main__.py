"""Every benchmark of the issue, in one run: `make bench`, or `python -m bench --short` for a first look."""

import argparse
import os
import tempfile
from pathlib import Path

from bench import binding, lists, metrics, reconciling, texting, usage, webhooks
from bench.fixture import Postgres

SHORT = {
    "numbers": 20_000,
    "many": 100_000,
    "listed": 100_000,
    "attaches": 2_000,
    "swept": 20_000,
    "texts": 5_000,
    "soaked_s": 15,
    "stored": 200_000,
    "counted": 300_000,
    "used": 100_000,
}
FULL = {
    "numbers": 100_000,
    "many": 1_000_000,
    "listed": 1_000_000,
    "attaches": 10_000,
    "swept": 100_000,
    "texts": 20_000,
    "soaked_s": 60,
    "stored": 10_000_000,
    "counted": 10_000_000,
    "used": 1_000_000,
}


def main() -> None:
    """Run all of it; client and Postgres on core 1, the server under test on core 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="small tables and short runs")
    options = parser.parse_args()
    sizes = SHORT if options.short else FULL
    seconds, rounds = (2.0, 1) if options.short else (4.0, 3)
    reconciling.run(count=sizes["attaches"], swept=sizes["swept"])
    pace = ["--rounds", str(rounds), "--texts", str(sizes["texts"])]
    texting.main(["deliver", *pace])
    texting.main(["soak", "--seconds", str(sizes["soaked_s"]), *pace])
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    with tempfile.TemporaryDirectory() as directory, Postgres(Path(directory)) as postgres:
        binding.run(postgres, numbers=sizes["numbers"], many=sizes["many"], seconds=seconds, rounds=rounds)
    texting.main(["accept", "--seconds", str(seconds), "--stored", str(sizes["stored"]), *pace])
    lists.run(numbers=sizes["listed"])
    metrics.run(texts=sizes["counted"])
    usage.run(rows=sizes["used"])
    webhooks.run(webhooks.PARTS, events=sizes["texts"], rounds=rounds, seconds=seconds)


if __name__ == "__main__":
    main()
