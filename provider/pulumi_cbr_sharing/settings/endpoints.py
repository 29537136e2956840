"""The endpoints of CBR and IAM by cloud and region, and the rules for endpoints that a user gives.

Source: the vendors' pages of regions and endpoints. New regions appear, so an unknown one is no error, and every
endpoint can be set.
"""

from __future__ import annotations

import ipaddress
import re

from urllib.parse import urlsplit


_OTC = "otc.t-systems.com"
_OTC_SWISS = ("https://cbr.eu-ch2.sc.otc.t-systems.com", "https://iam-pub.eu-ch2.sc.otc.t-systems.com/v3")
_NO_ADDRESS = "it is not a URL such as https://cbr.example.com"
_CLOUD_OF_REGION = {"eu-de": _OTC, "eu-nl": _OTC, "eu-west-0": "prod-cloud-ocb.orange-business.com"}


def endpoints_of(region: str, cloud: str | None = None) -> tuple[str, str]:
    """The endpoints of CBR (without version) and of IAM (with `/v3`).

    Args:
        region: such as `cn-north-4` or `eu-de`.
        cloud: the domain of all endpoints; None takes that of the region.
    """
    if region == "eu-ch2" and cloud is None:  # CBR's is inferred from IAM's
        return _OTC_SWISS
    huawei = "myhuaweicloud.eu" if region.startswith("eu-west-1") else "myhuaweicloud.com"
    cloud = cloud or _CLOUD_OF_REGION.get(region, huawei)
    return f"https://cbr.{region}.{cloud}", f"https://iam.{region}.{cloud}/v3"


def exact_cbr(address: str) -> str:
    """A CBR endpoint without version and trailing slash, with `https://` if no scheme is given."""
    with_scheme = address if "://" in address else f"https://{address}"
    return with_scheme.rstrip("/").removesuffix("/v3")


def exact_iam(address: str) -> str:
    """An IAM endpoint with `/v3`, and with `https://` if no scheme is given."""
    return exact_cbr(address) + "/v3"


def trouble_with(address: str, *, insecure: bool) -> str | None:
    """What is wrong with an endpoint, or None.

    Plain http is only allowed to this machine, unless `insecure` is set, because it shows every token on the way.
    """
    try:
        parts = urlsplit(address)
    except ValueError:  # half an IPv6 address
        return _NO_ADDRESS
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[^!-~]|[?#\\]", address):
        return _NO_ADDRESS
    if "@" in address:
        return "it may not contain a user or password: give the address only"
    try:
        _ = parts.port
    except ValueError:
        return "its port is not a number"
    if parts.scheme == "http" and not insecure and not is_this_machine(parts.hostname):
        return "plain http would show the credentials on the way: use https, or set insecure"
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
