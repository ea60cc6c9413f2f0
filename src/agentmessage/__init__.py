"""A phone line that every agent can trust: the self-hosted AgentMessage platform."""
