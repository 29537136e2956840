"""What a program writes: the resources and lookups. Only the files in here know Pulumi."""
