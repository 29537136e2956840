"""What sharing means: the verbs of each resource, without Pulumi and without HTTP."""
