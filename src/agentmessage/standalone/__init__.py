"""`agentmessage up`: the whole platform as one supervised process tree."""
