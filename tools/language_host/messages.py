"""Pulumi's gRPC messages, without the rest of its SDK, which takes three times as long to import."""

import sys

from importlib.util import find_spec, module_from_spec


for _name in ("pulumi", "pulumi.runtime"):
    if not (_spec := find_spec(_name)):
        raise ImportError(f"No module named {_name!r}")
    sys.modules.setdefault(_name, module_from_spec(_spec))  # it is never run

from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2  # noqa: E402


__all__ = ["language_pb2", "language_pb2_grpc", "plugin_pb2"]
