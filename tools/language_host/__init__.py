"""A stand-in for `pulumi-language-python`, the process through which the Pulumi engine runs Python programs.

Every Pulumi release brings the real one, and with a release on PATH nothing here is run. It is needed only next to an
engine that was built from its Go module (see `engine_build`), which has no language host. It asks and refuses what the
real one asks and refuses, in the same words, so that what works here works for users: it lists the packages of the
program's environment before it runs the program, and it installs what `pulumi install` is to install.

What it leaves out: Poetry, type checkers, debuggers, generated code (`pulumi package add`), pyenv, templates, and a
requirements.txt that is to become a uv project. It refuses a policy pack whose `virtualenv` is missing; with the real
one, the engine (3.274.1) waits for such a pack without an end.
"""
