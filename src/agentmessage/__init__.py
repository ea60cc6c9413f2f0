"""A phone line that every agent can trust: the self-hosted AgentMessage platform and its client."""

__version__ = "0.2.0"
