"""The notice after a restore."""

WARNING = (
    "What a dump holds may have been sent, canceled or opted out of after it was taken. STOPs of that time are in no"
    " database: they cannot be known here."
)


def restored_notice(held: int) -> str:
    """What the operator must decide before workers send again."""
    return (
        f"ATTENTION: this database was restored from a dump, or its cluster is another than before. {WARNING}"
        f" {held} queued and scheduled messages are held: see `agentmessage admin messages held`, then release or drop"
        " them. Compare opt-outs with your carrier's records before you start workers."
    )
