"""Texts to try: from each alphabet, at the lengths where parts end, with characters that must not be cut."""

from hypothesis import strategies as st

from agentmessage.sms import gsm

BASIC = "".join(one for one in gsm.BASIC if one != "\ufffe")
EXTENSION = "".join(gsm.EXTENSION.values())
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
CLUSTERS = (FAMILY, "e\u0301", "\U0001f1fa\U0001f1f8", "\U0001f44d\U0001f3fd", "\u0915\u094d\u0937", "\r\n")

gsm_characters = st.one_of(st.sampled_from(BASIC), st.sampled_from(EXTENSION))
any_characters = st.characters(exclude_categories=["Cs"])


def runs(pieces: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Texts of up to about four parts: short pieces, each repeated, so that cuts fall on all of them."""
    run = st.builds(lambda piece, times: piece * times, pieces, st.integers(1, 160))
    return st.lists(run, max_size=6).map("".join).map(lambda text: text[:620])


gsm_texts = st.one_of(st.text(gsm_characters, max_size=20), runs(gsm_characters))
ucs2_pieces = st.one_of(any_characters, st.sampled_from(CLUSTERS), st.sampled_from("ж€a"))
texts = st.one_of(gsm_texts, st.text(any_characters, max_size=20), runs(ucs2_pieces))
