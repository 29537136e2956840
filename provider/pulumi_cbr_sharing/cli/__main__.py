"""`python -m pulumi_cbr_sharing.cli` is the command `cbr-sharing`."""

from pulumi_cbr_sharing.cli import main


main()
