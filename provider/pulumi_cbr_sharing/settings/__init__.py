"""From what a user has set, in a program, a stack, the environment or files, to one frozen `Settings`."""
