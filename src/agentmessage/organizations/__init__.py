"""Tenants: who they are, their settings, and the log of what was done to them.

An organization is made by the operator, together with its sandbox twin: a second organization that shares nothing with
the live one, whose carrier is the simulator and whose money is play money. Both are rows of one cell; the directory
knows which. Customers read and change their own (`routes`); every room writes the audit log through
`operations.record`. Emits `organization.updated`.
"""
