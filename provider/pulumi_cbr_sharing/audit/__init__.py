"""Who can see our backups, and did anybody declare it? Compares declared shares with live ones.

Nothing here writes to the cloud, and nothing knows Pulumi or a terminal: the command `cbr-sharing audit` is one
caller, a program may be another.
"""
