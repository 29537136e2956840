"""What Pulumi starts after `pulumi package add …/plugin`: the plugin of the package that requirements.txt installs."""

from pulumi_cbr_sharing.plugin import main


main()
