"""The endpoints of CBR and IAM by cloud and region, and the rules for endpoints that a user gives.

Source: the vendors' pages of regions and endpoints. New regions appear, so every endpoint can be set, and with one, or
with the cloud's domain, any region will do.
"""

from __future__ import annotations

import ipaddress
import re

from urllib.parse import urlsplit


_OTC = "otc.t-systems.com"
_REGION = r"[a-z]+(?:-[a-z0-9]+)+"
_NO_ADDRESS = "it is not a URL such as https://cbr.example.com"
_FLEXIBLE_ENGINE = "prod-cloud-ocb.orange-business.com"
_CLOUD_OF_REGION = {"eu-de": _OTC, "eu-nl": _OTC, "eu-ch2": _OTC, "eu-west-0": _FLEXIBLE_ENGINE}
_VENDORS = ("myhuaweicloud.com", "myhuaweicloud.eu", _OTC, _FLEXIBLE_ENGINE)
_HUAWEI = """
ae-ad-1 af-north-1 af-south-1 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5
cn-east-2 cn-east-3 cn-east-4 cn-east-5 cn-north-1 cn-north-2 cn-north-4 cn-north-9 cn-north-11 cn-north-12
cn-south-1 cn-south-2 cn-south-4 cn-southwest-2 cn-southwest-3 eu-west-101 la-north-2 la-south-2 me-east-1
my-kualalumpur-1 na-mexico-1 ru-moscow-1 ru-northwest-2 sa-brazil-1 tr-west-1
"""
REGIONS = frozenset((*_HUAWEI.split(), *_CLOUD_OF_REGION))


def region_in(text: str) -> str | None:
    """The region in a project's name (`eu-de` and `eu-de_shop`, not `shop`), or in the address of IAM."""
    found = re.match(rf"(?:https?://)?iam(?:-pub)?\.({_REGION})\.|({_REGION})(?:_.*)?\Z", text)
    return found[1] or found[2] if found else None


def plain_names() -> dict[str, str]:
    """What messages call an endpoint and the project id, if nobody knows where they were set."""
    return dict.fromkeys(("cbr", "iam", "sts", "metadata"), "the endpoint") | {"project_id": "the project id"}


def host_of(address: str | None) -> str:
    """The host in an endpoint, with its port."""
    return urlsplit(address or "").netloc


def is_vendors(address: str) -> bool:
    """Whether an endpoint is in the domain of one of the clouds."""
    host = urlsplit(address).hostname or ""
    return host.endswith(tuple(f".{domain}" for domain in _VENDORS))


def endpoints_of(region: str, cloud: str | None = None) -> tuple[str, str, str]:
    """The endpoints of CBR (without version), of IAM (with `/v3`) and of the service for temporary keys (STS).

    `cloud` is the domain of all endpoints; None takes that of the region.
    """
    iam = "iam"
    if region == "eu-ch2" and cloud is None:  # CBR's is inferred from IAM's
        iam, cloud = "iam-pub", f"sc.{_OTC}"
    huawei = "myhuaweicloud.eu" if region.startswith("eu-west-1") else "myhuaweicloud.com"
    cloud = cloud or _CLOUD_OF_REGION.get(region, huawei)
    return f"https://cbr.{region}.{cloud}", f"https://{iam}.{region}.{cloud}/v3", f"https://sts.{region}.{cloud}"


def exact(address: str) -> str:
    """An endpoint without version and trailing slash, with `https://` if no scheme is given."""
    with_scheme = address if "://" in address else f"https://{address}"
    return with_scheme.rstrip("/").removesuffix("/v3")


def trouble_with(address: str, *, insecure: bool) -> str | None:
    """What is wrong with an endpoint, or None.

    Plain http is only allowed to this machine, unless `insecure` is set, because it shows every token on the way.
    """
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:  # half an IPv6 address, or a port that is none
        return _NO_ADDRESS
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[^!-~]|[?#\\]", address):
        return _NO_ADDRESS
    if "@" in address:
        return "it may not contain a user or password: give the address only"
    if parts.scheme == "http" and not insecure and not is_this_machine(parts.hostname):
        return "plain http would show the credentials on the way: use https, or set HW_INSECURE"
    return None


def is_this_machine(host: str) -> bool:
    """Whether a host is `localhost` or a loopback address in its usual spelling.

    Others (`127.1`, `0.0.0.0`, `x.localhost`, IPv4 within IPv6) may be resolved to something else.
    """
    if host in ("localhost", "::1"):
        return True
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False
