"""What the engine starts as `pulumi-language-python` where there is no Pulumi release; see `language_host`."""

import sys


try:
    from language_host.server import serve
except ImportError as error:
    sys.exit(f"{sys.executable} has no Pulumi SDK ({error}): run `make setup`, or activate an environment that has it")


if __name__ == "__main__":
    serve()
