"""`python -m pulumi_cbr_sharing.plugin ADDRESS`."""

from pulumi_cbr_sharing.plugin import main


if __name__ == "__main__":
    main()
