"""A stand-in for the vendor's `pulumi_huaweicloud` 0.0.12: the part of it that `examples/with_vault` uses."""

from . import cbr as cbr
