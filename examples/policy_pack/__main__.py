"""The pack `cbr-sharing`: all rules, with the configuration that `--policy-pack-config` gives."""

from pulumi_cbr_sharing.policies import RULES, run_pack


run_pack("cbr-sharing", RULES)
