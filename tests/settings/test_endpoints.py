from __future__ import annotations

import pytest

from pulumi_cbr_sharing.settings.endpoints import (
    REGIONS,
    endpoints_of,
    exact,
    region_in,
    trouble_with,
)


NO_ADDRESS = "it is not a URL such as https://cbr.example.com"
PLAIN = "plain http would show the credentials on the way: use https, or set HW_INSECURE"


@pytest.mark.parametrize(
    ("region", "cbr", "iam"),
    [
        ("cn-north-4", "https://cbr.cn-north-4.myhuaweicloud.com", "https://iam.cn-north-4.myhuaweicloud.com/v3"),
        (
            "my-kualalumpur-1",
            "https://cbr.my-kualalumpur-1.myhuaweicloud.com",
            "https://iam.my-kualalumpur-1.myhuaweicloud.com/v3",
        ),
        ("eu-west-101", "https://cbr.eu-west-101.myhuaweicloud.eu", "https://iam.eu-west-101.myhuaweicloud.eu/v3"),
        ("eu-west-110", "https://cbr.eu-west-110.myhuaweicloud.eu", "https://iam.eu-west-110.myhuaweicloud.eu/v3"),
        ("eu-de", "https://cbr.eu-de.otc.t-systems.com", "https://iam.eu-de.otc.t-systems.com/v3"),
        ("eu-nl", "https://cbr.eu-nl.otc.t-systems.com", "https://iam.eu-nl.otc.t-systems.com/v3"),
        ("eu-ch2", "https://cbr.eu-ch2.sc.otc.t-systems.com", "https://iam-pub.eu-ch2.sc.otc.t-systems.com/v3"),
        (
            "eu-west-0",
            "https://cbr.eu-west-0.prod-cloud-ocb.orange-business.com",
            "https://iam.eu-west-0.prod-cloud-ocb.orange-business.com/v3",
        ),
        ("xx-new-9", "https://cbr.xx-new-9.myhuaweicloud.com", "https://iam.xx-new-9.myhuaweicloud.com/v3"),
    ],
)
def test_the_region_tells_the_endpoints(region: str, cbr: str, iam: str) -> None:
    """The regions of each cloud have its domain; an unknown region has Huawei Cloud's."""
    assert endpoints_of(region)[:2] == (cbr, iam)


@pytest.mark.parametrize("region", ["cn-south-1", "cn-east-2", "my-kualalumpur-1", *sorted(REGIONS)])
def test_each_known_region_is_a_whole_name(region: str) -> None:
    """A region that is not known is refused unless an endpoint is given."""
    assert region in REGIONS
    assert region_in(region) == region
    assert region.count("-") > 1 or region.startswith("eu-")


@pytest.mark.parametrize("region", ["eu-de", "eu-ch2", "xx-private-1"])
def test_a_named_cloud_outweighs_the_table(region: str) -> None:
    """A private cloud only needs its domain."""
    found = endpoints_of(region, "cloud.example")[:2]
    assert found == (f"https://cbr.{region}.cloud.example", f"https://iam.{region}.cloud.example/v3")


@pytest.mark.parametrize(
    "address",
    [
        "cbr.example.com",
        "cbr.example.com/",
        "cbr.example.com/v3",
        "https://cbr.example.com",
        "https://cbr.example.com/",
        "https://cbr.example.com/v3",
        "https://cbr.example.com/v3/",
    ],
)
def test_an_address_is_taken_with_or_without_version(address: str) -> None:
    """Users need not know which of the two has `/v3`."""
    assert exact(address) == "https://cbr.example.com"


def test_a_path_and_a_port_of_the_address_stay() -> None:
    """There may be a gateway in front of the service."""
    assert exact("https://gateway.example:8443/cbr/v3/") == "https://gateway.example:8443/cbr"
    assert exact("https://gateway.example:8443/iam") == "https://gateway.example:8443/iam"


@pytest.mark.parametrize(
    "address",
    [
        "https://cbr.example.com",
        "https://cbr.example.com:8443/some/path",
        "https://[2001:db8::1]:8443",
        "http://localhost:5000",
        "http://LOCALHOST",
        "http://127.0.0.1:5000",
        "http://127.8.8.8",
        "http://[::1]:5000",
    ],
)
def test_https_and_this_machine_are_no_trouble(address: str) -> None:
    """Any host may have https, only this machine plain http."""
    assert trouble_with(address, insecure=False) is None


@pytest.mark.parametrize(
    "address",
    [
        "http://cbr.example.com",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://0",
        "http://cbr.localhost:5000",
        "http://localhost.",
        "http://127.1",
        "http://127.0.0.1.",
        "http://127.0.0.01",
        "http://127.0.0.999",
        "http://2130706433",
        "http://0x7f.0.0.1",
        "http://[::]",
        "http://[::ffff:127.0.0.1]",
        "http://[::127.0.0.1]",
        "http://[::1%25lo]",
        "http://notlocalhost",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
    ],
)
def test_plain_http_elsewhere_needs_insecure(address: str) -> None:
    """A token is not sent over plain http unless the user allows it."""
    assert trouble_with(address, insecure=False) == PLAIN
    assert trouble_with(address, insecure=True) is None


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("ftp://cbr.example.com", id="scheme"),
        pytest.param("https:", id="nothing"),
        pytest.param("https://", id="no host"),
        pytest.param("https://:443", id="port only"),
        pytest.param("https://cbr.example.com?x=1", id="query"),
        pytest.param("https://cbr.example.com?", id="empty query"),
        pytest.param("https://cbr.example.com#x", id="fragment"),
        pytest.param("https://cbr .example.com", id="blank"),
        pytest.param("https://cbr.\nexample.com", id="newline"),
        pytest.param("https://cbr.\x1bexample.com", id="control character"),
        pytest.param("https://cbr.exampleé.com", id="non-ASCII"),
        pytest.param("https://cbr.example\u2100.com", id="a character that hides a slash"),
        pytest.param("https://[::1", id="half an IPv6 address"),
        pytest.param("https://evil.example\\cbr.example.com", id="backslash"),
    ],
)
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    """A URL with other parts, a password or a wrong syntax is an error."""
    assert trouble_with(address, insecure=True) == NO_ADDRESS


@pytest.mark.parametrize("user", ["user:pw", "user", ":pw"])
def test_an_address_with_a_user_is_refused(user: str) -> None:
    """A user in the URL would appear in messages."""
    trouble = trouble_with(f"https://{user}@cbr.example.com", insecure=True)
    assert trouble == "it may not contain a user or password: give the address only"


@pytest.mark.parametrize("port", ["x", "99999", "-1"])
def test_a_port_is_a_number(port: str) -> None:
    """A wrong port is found before anything is sent."""
    assert trouble_with(f"https://cbr.example.com:{port}", insecure=False) == NO_ADDRESS
