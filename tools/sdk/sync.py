"""`sdk/sync/`: the same client without asyncio, made from `sdk/aio/` word by word."""

import io
import itertools
import re
import tokenize

NAMES = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aclose": "close",
    "aread": "read",
    "aiter_bytes": "iter_bytes",
    "anext": "next",
    "asynccontextmanager": "contextmanager",
    "asyncio": "time",
    "aio": "sync",
}
DROPPED = {"async", "await"}
CLASS = re.compile(r"^_?Async(?=[A-Z])")
WORDS = [
    (re.compile(r"\baclose\b"), "close"),
    (re.compile(r"\bAsync(?=[A-Z])"), ""),
    (re.compile(r"\basync with\b"), "with"),
]
FRONT = {
    "__init__.py": '"""The client over plain sockets, made from `agentmessage.sdk.aio` by `tools/make_sdk.py`."""\n',
}


def modules(sources: dict[str, str]) -> dict[str, str]:
    """Path below `sdk/` and text of the sync twin of every module of `aio`, given by their paths below it."""
    return {f"sync/{path}": FRONT.get(path) or without_async(text) for path, text in sources.items()}


def without_async(source: str) -> str:
    """The module as it is without asyncio."""
    lines = source.splitlines(keepends=True)
    starts = [0, *itertools.accumulate(len(line) for line in lines)]
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    found: list[str] = []
    end = 0
    for token, following in itertools.pairwise(tokens):
        start = starts[token.start[0] - 1] + token.start[1]
        if token.type == tokenize.NAME and token.string in DROPPED:
            found.append(source[end:start])
            end = starts[following.start[0] - 1] + following.start[1]
        elif (word := _word(token)) != token.string:
            found += [source[end:start], word]
            end = starts[token.end[0] - 1] + token.end[1]
    return "".join([*found, source[end:]])


def _word(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.STRING:
        text = token.string
        for pattern, word in WORDS:
            text = pattern.sub(word, text)
        return text
    if token.type != tokenize.NAME:
        return token.string
    return NAMES.get(token.string) or CLASS.sub(lambda found: "_" if found[0].startswith("_") else "", token.string)
