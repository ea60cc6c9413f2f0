"""`agentmessage guardrails`: what an organization imposes on its own messages, and where."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct

from agentmessage.cli.command import Limit, Yes, asks, chosen, newest, number_of, page_size, require_yes
from agentmessage.cli.errors import FAILED
from agentmessage.cli.output import Card, Sentence, Shown, Table
from agentmessage.cli.request_body import Filed, Settings, body
from agentmessage.cli.tables import print_json, show

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage
    from agentmessage.sdk.models import Preflight

guardrails = typer.Typer(no_args_is_help=True, help="Guardrails: quiet hours, frequency caps and message rules.")
profiles = typer.Typer(no_args_is_help=True, help="Guardrail profiles; a profile takes effect where it is bound.")
bindings = typer.Typer(no_args_is_help=True, help="Bindings of profiles to brands, campaigns, numbers and pools.")
pools = typer.Typer(no_args_is_help=True, help="Pools: groups of numbers that share guardrails.")
guardrails.add_typer(profiles, name="profiles")
guardrails.add_typer(bindings, name="bindings")
guardrails.add_typer(pools, name="pools")

FINDINGS = ("check", "severity", "code", "title", "suggested_fix")
PROFILE_COLUMNS = ("source", "updated_at", "id", "name")
PROFILE_FIELDS = (
    "id",
    "name",
    "source",
    "template_key",
    "quiet_hours_disabled",
    "quiet_hours_start_minute",
    "quiet_hours_end_minute",
    "quiet_hours_mode",
    "freq_cap_disabled",
    "freq_cap_window_minutes",
    "freq_cap_max_in_window",
    "consent_freshness_disabled",
    "consent_freshness_max_age_days",
    "autostamp_disabled",
    "autostamp_sender_id_text",
    "autostamp_cadence",
    "suppression_disabled",
    "branded_link_advisory_disabled",
    "created_at",
    "updated_at",
)
BINDING_COLUMNS = ("scope_kind", "brand_id", "campaign_id", "phone_number_id", "pool_id", "profile_id", "id")
POOL_FIELDS = ("slug", "brand_id", "updated_at", "id", "name")
MEMBERS = ("phone_number_id", "added_at")

ProfileId = Annotated[str, typer.Argument(metavar="ID", help="Profile id.")]
PoolId = Annotated[str, typer.Argument(metavar="ID", help="Pool id.")]


class Judged(Struct, frozen=True, kw_only=True):
    """A preflight result; it fails if a finding blocks."""

    preflight: "Preflight"

    @property
    def status(self) -> int:
        """The exit status."""
        return 0 if self.preflight.can_submit else FAILED

    def print(self, *, as_json: bool) -> None:
        """The result as JSON, or its findings and the verdict."""
        if as_json:
            print_json(self.preflight)
            return
        show(self.preflight.findings, columns=FINDINGS, title="Findings", as_json=False)
        sys.stdout.write("It would be accepted.\n" if self.preflight.can_submit else "It would be rejected.\n")


@asks(guardrails, "preflight")
def preflight(
    client: "AgentMessage",
    *,
    from_: Annotated[str, typer.Option("--from", help="Your sending number.")],
    to: Annotated[str, typer.Option(help="Recipient, E.164.")],
    text: Annotated[str, typer.Option(help="Message text.")],
) -> Shown:
    """Check a message against all send rules without sending it. Exits with 1 if it would be rejected."""
    return Judged(preflight=client.guardrails.preflight(from_=from_, to=to, text=text))


@asks(profiles, "list")
def list_profiles(client: "AgentMessage", *, limit: Limit = 50) -> Shown:
    """List your profiles, newest first."""
    page = client.guardrails.profiles.list(limit=page_size(limit))
    filled_by = "Create one with `agentmessage guardrails profiles create`."
    return Table(rows=newest(page, limit), columns=PROFILE_COLUMNS, title="Profiles", filled_by=filled_by)


@asks(profiles, "get")
def get_profile(client: "AgentMessage", *, profile_id: ProfileId) -> Shown:
    """Show one profile. Fields that are not shown are inherited."""
    return Card(thing=client.guardrails.profiles.get(profile_id), fields=PROFILE_FIELDS, title="Profile")


@asks(profiles, "create")
def create_profile(
    client: "AgentMessage",
    *,
    name: Annotated[str | None, typer.Option(help="Name.")] = None,
    file: Filed = None,
    settings: Settings = None,
) -> Shown:
    """Create a profile, such as --set freq_cap_disabled=false --set freq_cap_max_in_window:=3. Bind it to apply it."""
    fields: Any = body(file, settings, name=name)
    return Card(thing=client.guardrails.profiles.create(**fields), fields=PROFILE_FIELDS, title="Created")


@asks(profiles, "update")
def update_profile(
    client: "AgentMessage",
    *,
    profile_id: ProfileId,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    file: Filed = None,
    settings: Settings = None,
) -> Shown:
    """Update a profile. Omitted fields stay; null inherits again."""
    fields: Any = body(file, settings, name=name)
    changed = client.guardrails.profiles.update(profile_id, **fields)
    return Card(thing=changed, fields=PROFILE_FIELDS, title="Updated")


@asks(profiles, "delete")
def delete_profile(client: "AgentMessage", *, profile_id: ProfileId, yes: Yes = False) -> Shown:
    """Delete a profile that has no binding. Asks for confirmation unless --yes."""
    require_yes(f"Delete profile {profile_id}?", is_given=yes)
    client.guardrails.profiles.delete(profile_id)
    return Sentence(words=f"Profile {profile_id} is deleted.", value={"id": profile_id, "deleted": True})


@asks(bindings, "list")
def list_bindings(client: "AgentMessage", *, limit: Limit = 50) -> Shown:
    """List bindings, newest first."""
    page = client.guardrails.bindings.list(limit=page_size(limit))
    filled_by = "Create one with `agentmessage guardrails bindings put`."
    return Table(rows=newest(page, limit), columns=BINDING_COLUMNS, title="Bindings", filled_by=filled_by)


@asks(bindings, "put")
def put_binding(
    client: "AgentMessage",
    *,
    profile_id: Annotated[str, typer.Option("--guardrails", help="Guardrail profile id.")],
    brand: Annotated[str | None, typer.Option(help="Brand id.")] = None,
    campaign: Annotated[str | None, typer.Option(help="Campaign id.")] = None,
    number: Annotated[str | None, typer.Option(help="Number or its id.")] = None,
    pool: Annotated[str | None, typer.Option(help="Pool id.")] = None,
) -> Shown:
    """Bind a profile to one brand, campaign, number or pool. It replaces the current binding."""
    number_id = number_of(client, number).id if number else None
    scope = chosen(brand_id=brand, campaign_id=campaign, phone_number_id=number_id, pool_id=pool)
    bound = client.guardrails.bindings.put(profile_id=profile_id, **scope)
    return Card(thing=bound, fields=BINDING_COLUMNS, title="Binding")


@asks(bindings, "delete")
def delete_binding(
    client: "AgentMessage",
    *,
    binding: Annotated[str, typer.Argument(metavar="ID", help="Binding id.")],
    attestation: Annotated[
        str | None, typer.Option(help="Attestation; required if the change lowers protection.")
    ] = None,
    yes: Yes = False,
) -> Shown:
    """Delete a binding; the wider scope applies again. Asks for confirmation unless --yes."""
    require_yes(f"Delete binding {binding}?", is_given=yes)
    client.guardrails.bindings.delete(binding, **chosen(attestation=attestation))
    return Sentence(words=f"Binding {binding} is deleted.", value={"id": binding, "deleted": True})


@asks(pools, "list")
def list_pools(
    client: "AgentMessage",
    *,
    brand: Annotated[str | None, typer.Option(help="Filter by brand id.")] = None,
    limit: Limit = 50,
) -> Shown:
    """List your pools, newest first."""
    page = client.guardrails.pools.list(limit=page_size(limit), **chosen(brand_id=brand))
    filled_by = "Create one with `agentmessage guardrails pools create`."
    return Table(rows=newest(page, limit), columns=POOL_FIELDS, title="Pools", filled_by=filled_by)


@asks(pools, "get")
def get_pool(client: "AgentMessage", *, pool: PoolId) -> Shown:
    """Show one pool."""
    return Card(thing=client.guardrails.pools.get(pool), fields=POOL_FIELDS, title="Pool")


@asks(pools, "create")
def create_pool(
    client: "AgentMessage",
    *,
    brand: Annotated[str, typer.Option(help="Brand id.")],
    name: Annotated[str, typer.Option(help="Name.")],
    slug: Annotated[str, typer.Option(help="Slug: lowercase letters, digits and dashes.")],
) -> Shown:
    """Create a pool of a brand's numbers."""
    made = client.guardrails.pools.create(brand_id=brand, name=name, slug=slug)
    return Card(thing=made, fields=POOL_FIELDS, title="Created")


@asks(pools, "update")
def update_pool(
    client: "AgentMessage",
    *,
    pool: PoolId,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    slug: Annotated[str | None, typer.Option(help="New slug.")] = None,
) -> Shown:
    """Rename a pool."""
    changed = client.guardrails.pools.update(pool, **chosen(name=name, slug=slug))
    return Card(thing=changed, fields=POOL_FIELDS, title="Updated")


@asks(pools, "delete")
def delete_pool(client: "AgentMessage", *, pool: PoolId, yes: Yes = False) -> Shown:
    """Delete a pool; its numbers stay. Asks for confirmation unless --yes."""
    require_yes(f"Delete pool {pool}?", is_given=yes)
    client.guardrails.pools.delete(pool)
    return Sentence(words=f"Pool {pool} is deleted.", value={"id": pool, "deleted": True})


@asks(pools, "members")
def list_members(client: "AgentMessage", *, pool: PoolId) -> Shown:
    """List the numbers of a pool."""
    filled_by = "Add numbers with `agentmessage guardrails pools set`."
    return Table(rows=client.guardrails.pools.list_members(pool), columns=MEMBERS, title="Members", filled_by=filled_by)


@asks(pools, "set")
def set_members(
    client: "AgentMessage",
    *,
    pool: PoolId,
    number: Annotated[
        list[str] | None, typer.Option("--number", help="Member number or its id; repeatable; none empties the pool.")
    ] = None,
) -> Shown:
    """Replace the numbers of a pool."""
    ids = [number_of(client, word).id for word in number or ()]
    members = client.guardrails.pools.replace_members(pool, phone_number_ids=ids)
    return Table(rows=members, columns=MEMBERS, title="Members")
