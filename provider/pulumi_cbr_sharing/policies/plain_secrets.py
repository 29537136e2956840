"""What `no-plain-secrets` finds: plain-text secrets in the configuration of a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.policies.rules import Finding, Unchecked
from pulumi_cbr_sharing.policies.shares import DYNAMIC_PROVIDER
from pulumi_cbr_sharing.policies.values import Secret, Unknown, Unmarked, properties_of


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pulumi_policy import ResourceValidationArgs

    Config = Mapping[str, Any]


# The configuration of dynamic providers is that of the whole stack, with namespaces.
BRIDGED_PROVIDERS = ("pulumi:providers:huaweicloud", "pulumi:providers:opentelekomcloud")
SECRETS = ("secretKey", "securityToken", "password", "token")  # the id of an access key is not secret


def encrypted(provider: ResourceValidationArgs, config: Config) -> Iterator[Finding | Unchecked]:
    """Secrets of a provider that are plain text."""
    keys = _secret_keys(provider.resource_type, config)
    props = properties_of(provider) if keys else {}
    for key in keys:
        value = props.get(key)
        if isinstance(value, Unknown):
            yield Unchecked(
                f"cannot be checked yet: {key} of provider '{provider.name}' is known only after another resource is "
                "created; the update checks it"
            )
        elif isinstance(value, Unmarked):
            yield Finding(
                f"it is not known whether {key} of provider '{provider.name}' is encrypted: run the rules with "
                "pulumi_cbr_sharing.policies.run_pack, which keeps the marks of secrets"
            )
        elif value not in (None, "") and not isinstance(value, Secret):
            yield Finding(
                f"{key} of provider '{provider.name}' ({provider.resource_type}) is plain text, and can be read in the "
                "state: set it with `pulumi config set --secret`, wrap it in pulumi.Output.secret(), or set it in "
                "the environment"
            )


def _secret_keys(token: str, config: Config) -> list[str]:
    names = [*SECRETS, *config.get("names", ())]
    if token == DYNAMIC_PROVIDER:
        return [f"{namespace}:{name}" for namespace in config.get("namespaces", ("huaweicloud",)) for name in names]
    return names if token in BRIDGED_PROVIDERS else []
