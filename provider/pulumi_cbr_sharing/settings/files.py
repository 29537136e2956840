"""The files of other tools: the vendor's command line, `clouds.yaml` of the OpenStack tools, and the vendor's SDK.

A file that cannot be used becomes a source that says why. This is an error only if its credential would be used.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import SettingsError, one_line
from pulumi_cbr_sharing.settings.credentials import KEYS, PASSWORDS, TOKENS, expanded
from pulumi_cbr_sharing.settings.sources import Source, names_of


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


_KEY = ("accessKeyId", "secretAccessKey", "securityToken")
_AGENCY = ("agencyName", "agencyDomainName", "agencyDomainId")
# The modes of a profile, and what each signs with. Those of an agency have the key of another profile.
_MODES = {"aksk": _KEY, "sso": _KEY, "assumerole": _KEY, "agency": _KEY, "token": ("xAuthToken",), "ecsagency": ()}
_BY_AGENCY = ("assumerole", "agency")
_MALFORMED = (AttributeError, KeyError, TypeError, ValueError)  # a text where a map should be, and so on
# Profiles that the OpenStack tools bring along.
_OTC = {"auth": {"auth_url": "https://iam.{region_name}.otc.t-systems.com/v3"}, "regions": ["eu-de", "eu-nl"]}
_OTC_SWISS = {"auth": {"auth_url": "https://iam-pub.eu-ch2.sc.otc.t-systems.com/v3"}, "regions": ["eu-ch2"]}
_SECRETS = {PASSWORDS: ("password",), TOKENS: ("token", "auth_token"), KEYS: ("ak", "sk", "access_key", "secret_key")}
# Where both have one of these, the OpenStack tools take the entry's own, else that in its `auth`.
_OWN_FIRST = re.compile(r"(auth_)?token|passcode|((user|project)_)?domain_(id|name)|(tenant|project)_(id|name)")


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - `Path.is_file` fails in a home that the user may not look into


def _read(path: Path, kind: str, parse: Callable[[str], Any]) -> dict[str, Any]:
    """The map in a file; the error names the file, and shows nothing of it."""
    if not _is_file(path):
        raise SettingsError(f"there is no file {path}")
    try:
        raw = path.read_bytes()
        content = parse(raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"))
    except Exception as error:  # noqa: BLE001 - each parser has its own
        raise SettingsError(f"{path} cannot be read as {kind}: {type(error).__name__}") from None
    return content if isinstance(content, dict) else {}


def _listed(names: Iterable[Any]) -> str:
    return one_line(", ".join(map(str, names)), 200) or "none"


# --- the vendor's command line ----------------------------------------------------------------------------------------


def from_profile(file: str | None = None, profile: str | None = None, named_by: str = "") -> Source | None:
    """A profile of the vendor's command line; None if there is none, and it was not named.

    Args:
        file: the path; None means `~/.hcloud/config.json`.
        profile: the name of the profile; None means the current one.
        named_by: the setting that names file or profile.
    """
    path, label = Path(expanded(file or "~/.hcloud/config.json")), f"profile {one_line(profile or 'current', 60)}"
    if not named_by and not _is_file(path):
        return None
    values, trouble, note = dict[str, Any](), "", ""
    try:
        content = _read(path, "JSON", json.loads)
        wanted = profile or str(content.get("current") or "default")
        rows = {str(row.get("name")): row for row in content.get("profiles") or () if isinstance(row, dict)}
        label = f"profile {one_line(wanted, 60)}"
        if wanted not in rows and not named_by:
            return None
        if wanted not in rows:
            raise SettingsError(f"{path} has no profile of that name; there are: {_listed(rows)}")  # noqa: TRY301
        label = f"{label} of {path}"
        values, trouble, note = _profile(rows, wanted, content)
        trouble = trouble and f"{label} {trouble}{'' if named_by else ', or set HW_ACCESS_KEY and HW_SECRET_KEY'}"
    except SettingsError as error:
        trouble = f"{label}: {error}"
    except _MALFORMED:
        trouble = f"{label} has not the form of a profile"
    values, notes = {} if trouble else values, (f"{label} {note}",) if note else ()
    return Source(label, values, names_of("profile"), kind="profile", named_by=named_by, trouble=trouble, notes=notes)


def _profile(rows: Mapping[str, Any], name: str, content: Mapping[str, Any]) -> tuple[dict[str, Any], str, str]:
    """What a profile gives, why it cannot be used, and what to tell of it."""
    row, mode = rows[name], _mode(rows[name])
    by_agency = mode in _BY_AGENCY
    holder = rows.get(str(row.get("sourceProfile"))) if by_agency else row
    if mode == "sso":
        holder = (row.get("ssoAuth") or {}).get("stsToken")
    keys = {key: (holder or {}).get(key) for key in _MODES.get(mode, ())}
    trouble = _trouble(row, mode, holder, keys)
    if not trouble and _is_encrypted(content, keys):
        command = "hcloud configure set --cli-auth-encrypt=false"
        trouble = f"is encrypted, and only the command line itself can decrypt it: run `{command}`"
    also = mode == "aksk" and row.get("agencyName") and (row.get("agencyDomainName") or row.get("agencyDomainId"))
    note = "has an access key and an agency, which is assumed as the Terraform provider does it" if also else ""
    of_row = ("region", "projectId", *(_AGENCY if by_agency or also else ()))
    own = {"server": "yes" if mode == "ecsagency" else "", "remedy": _sso(row) if mode == "sso" else ""}
    return {key: row.get(key) for key in of_row} | keys | own, trouble, note


def _mode(row: Mapping[str, Any]) -> str:
    """The mode of a profile; if it was written by hand, its fields tell."""
    modes = {"accessKeyId": "aksk", "xAuthToken": "token", "sourceProfile": "assumerole", "ssoAuth": "sso"}
    return str(row.get("mode") or next((mode for key, mode in modes.items() if row.get(key)), "aksk")).lower()


def _sso(row: Mapping[str, Any]) -> str:
    return f"run `hcloud configure sso --cli-profile={one_line(row['name'], 60)}`"


def _trouble(row: Mapping[str, Any], mode: str, holder: Any, keys: Mapping[str, Any]) -> str:
    if mode not in _MODES:
        return f"has the mode {one_line(mode, 30)}, which is not known here: use one of mode AKSK"
    if mode in _BY_AGENCY and (holder is None or holder is row or _mode(holder) != "aksk"):
        shown = one_line(row.get("sourceProfile") or "", 60)
        return f"has the source profile '{shown}', which is not one of mode AKSK in the same file: correct it"
    if mode == "sso" and not keys["accessKeyId"]:
        return f"is not signed in: {_sso(row)}"
    expires = str(row.get("expiresAt") or "")  # seconds since 1970
    if mode == "token" and re.fullmatch(r"\d{9,11}", expires) and int(expires) < time.time():
        return "has a token that has expired: sign in again with the command line"
    return ""


def _is_encrypted(content: Mapping[str, Any], keys: Mapping[str, Any]) -> bool:
    """Whether a file has cipher texts: its flag says so, or, without one, the shape of its keys.

    That a plain access key has 20 letters and digits, a plain secret key 40, and cipher texts are base64, is inferred.
    """
    if content.get("authEncrypt") not in (None, ""):
        return any(keys.values()) and str(content["authEncrypt"]).lower() == "true"
    if keys.get("xAuthToken"):
        return bool(content.get("crypter"))
    return any(not re.fullmatch(r"[A-Za-z0-9]{16,40}", str(keys[key])) for key in _KEY[:2] if keys.get(key))


# --- clouds.yaml ------------------------------------------------------------------------------------------------------


def from_entry(
    name: str,
    *,
    named_by: str,
    regions: tuple[str | None, str | None] = (None, None),
    files: tuple[str | None, str | None] = (None, None),
) -> Source:
    """An entry of `clouds.yaml`, as the OpenStack tools read it.

    Args:
        name: the name of the entry.
        named_by: the setting that names it.
        regions: the region that was asked for, whatever the entry says; and the one to use if the entry names none.
        files: `clouds.yaml` and `secure.yaml`, if they were named.
    """
    label, shown, values, trouble = f"entry {one_line(name, 60)}", one_line(name, 60), dict[str, Any](), ""
    try:
        path, content = _first_of("clouds", files[0])
        secure = _first_of("secure", files[1])[1]
        label, clouds = f"{label} of {path}", _merged(content.get("clouds"), secure.get("clouds"))
        if isinstance(clouds.get(name), dict):
            values = _flat(_in_region(label, _with_profile(clouds[name]), *regions))
        else:
            trouble = f"{path} has no entry {shown}; there are: {_listed(clouds)} ({named_by})"
    except SettingsError as error:
        trouble = f"{error} ({named_by})"
    except _MALFORMED:
        trouble = f"{label} has not the form of an entry ({named_by})"
    return Source(label, values, names_of("entry"), kind="entry", named_by=named_by, trouble=trouble)


def _first_of(stem: str, named: str | None = None) -> tuple[Path, dict[str, Any]]:
    """The first file of this name, and the map in it. Files are not merged with one another."""
    import yaml  # noqa: PLC0415 - few users have such a file

    names = [f"{stem}.{end}" for end in ("yaml", "yml", "json")]
    candidates = [Path(expanded(named))] if named else [folder / file for folder in _folders() for file in names]
    for path in filter(_is_file, candidates):
        return path, _read(path, "YAML", yaml.safe_load)
    if named or stem == "clouds":
        searched = [named] if named else dict.fromkeys(path.parent for path in candidates)
        raise SettingsError(f"there is no {stem}.yaml; looked in {_listed(searched)}")
    return Path(), {}


def _folders() -> list[Path]:
    home, config = Path(expanded("~")), os.environ.get("XDG_CONFIG_HOME")
    own = {"darwin": "Library/Application Support/openstack", "win32": "AppData/Local/OpenStack/openstack"}
    folders = [Path.cwd(), home / own[sys.platform]] if sys.platform in own else [Path.cwd()]
    folders += [Path(config) / "openstack"] if config else []
    return [*folders, home / ".config/openstack", Path("/etc/xdg/openstack"), Path("/etc/openstack")]


def _with_profile(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry with the profile that it is based on."""
    base = entry.get("profile") or entry.get("cloud")
    public = (_first_of("clouds-public")[1].get("public-clouds") or {}) if base else {}
    return _merged({"otc": _OTC, "otc-swiss": _OTC_SWISS, **public}.get(base), entry)


def _merged(under: Any, over: Any) -> dict[str, Any]:
    """Two maps, key by key and deep; what lies over wins, unless it is null."""
    result: dict[str, Any] = {}
    for each in (under, over):
        for key, value in each.items() if isinstance(each, dict) else ():
            if value is not None:
                result[key] = _merged(result.get(key), value) if isinstance(value, dict) else value
    return result


def _in_region(label: str, entry: dict[str, Any], wanted: str | None, usual: str | None) -> dict[str, Any]:
    """The entry with what it says of one of its regions."""
    listed = entry.pop("regions", None) or []
    regions = {str(each["name"] if isinstance(each, dict) else each): each for each in listed}
    usual = usual if usual in regions or not regions else next(iter(regions))
    region = wanted or entry.get("region_name") or usual
    if regions and region not in regions:
        raise SettingsError(f"{label} has no region {one_line(region, 40)}; there are: {_listed(regions)}")
    chosen = regions.get(str(region))
    entry = _merged(entry, chosen.get("values") if isinstance(chosen, dict) else None)
    auth = entry.get("auth") or {}
    url = {"auth_url": str(auth["auth_url"]).replace("{region_name}", region or "")} if "auth_url" in auth else {}
    return {"region_name": region, **entry, "auth": {**auth, **url}}


def _flat(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry without levels, and without what its type of sign-in does not use."""
    own, auth = ({str(key).replace("-", "_"): each[key] for key in each} for each in (entry, entry["auth"]))
    flat = {**own, **auth, **{key: value for key, value in own.items() if _OWN_FIRST.fullmatch(key)}}
    if str(flat.get("verify")).lower() == "false":
        flat["insecure"] = True
    kind = flat.get("auth_type")
    used = TOKENS if kind in TOKENS else KEYS if kind in KEYS else PASSWORDS if flat.get("password") else None
    unused = {key for kinds, keys in _SECRETS.items() if used and kinds != used for key in keys}
    return {key: value for key, value in flat.items() if key not in unused}


# --- the vendor's SDK -------------------------------------------------------------------------------------------------


def from_sdk_file(file: str | None = None, named_by: str = "") -> Source | None:
    """The section `[basic]` of the SDK's `~/.huaweicloud/credentials`; None if there is none, and it was not named."""
    import configparser  # noqa: PLC0415 - few users have this file

    path, parser = Path(expanded(file or "~/.huaweicloud/credentials")), configparser.ConfigParser(interpolation=None)
    trouble = ""
    try:
        _read(path, "INI", parser.read_string)
    except SettingsError as error:
        trouble = f"{error} ({named_by})" if named_by else str(error) if _is_file(path) else ""
    values = dict(parser["basic"]) if "basic" in parser else {}
    source = Source(f"file {path}", values, names_of("ini"), kind="ini", named_by=named_by, trouble=trouble)
    return source if values or trouble or named_by else None
