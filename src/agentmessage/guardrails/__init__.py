"""What an organization adds to the fixed rules: profiles, the scopes they are bound to, and pools of numbers.

A profile says for each tool whether it is on, off, or left to the next wider scope; it does nothing until it is bound.
The ladder is number, pool, campaign, brand, organization's default, platform floor: the first rung that does not
inherit decides (`resolution`). `quiet_hours` knows when a text may be read by whoever gets it. `compliance` calls both
and asks nothing else of this one; every change here holds from the next text on, and is in the audit log. There are no
events.
"""
