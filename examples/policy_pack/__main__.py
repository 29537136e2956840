"""The pack `cbr-sharing`: all rules, with the configuration that `--policy-pack-config` gives."""

from pulumi_policy import PolicyPack

from pulumi_cbr_sharing.policies import RULES


PolicyPack("cbr-sharing", RULES)
