"""The physics of a text, for every room that handles one: how it is coded, cut, simplified, understood and addressed.

    gsm       the GSM 03.38 alphabet and its septets, loose and packed
    segments  which coding a text needs, how many parts it costs, and the octets of each part
    smart     the same text in cheaper characters, if that saves the costly coding
    keywords  STOP, HELP, START and YES, and the phrases that mean STOP (`phrases.toml`)
    numbers   E.164, and what a number presumes of its holder: country, state, time zones (`area_codes.toml`)

Pure: no clock, no chance, no database, no network. What is refused here with a ValueError is a caller's bug: the API
has looked at it before.
"""
