#!/usr/bin/env python3
"""The server by its Python name: `python3 main.py` is `martlet serve`.

HOST and PORT of the environment name the address, an argument (`--port 9000`) wins over them, and further
arguments are passed on. See run_cli.py for how the binary is found.
"""

import os
import sys

from run_cli import launch


def serve_arguments(arguments, environment):
    """`serve`, the address that the environment names and the arguments do not, and the arguments."""
    serve = ["serve"]
    for variable, option in (("HOST", "--host"), ("PORT", "--port")):
        given = any(argument == option or argument.startswith(option + "=") for argument in arguments)
        if environment.get(variable) and not given:
            serve += [option, environment[variable]]
    return serve + arguments


if __name__ == "__main__":
    try:
        sys.exit(launch(serve_arguments(sys.argv[1:], os.environ)))
    except KeyboardInterrupt:
        sys.exit(130)
