"""`python -m runstone`, and the command `runstone`."""

import sys

from runstone._version import __version__


def main() -> None:
    """Run the command line."""
    # Answered here: a version must not wait for the imports of the commands.
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"runstone, version {__version__}\n")
        return

    try:
        from runstone.cli import group

        code = group.run(sys.argv[1:])
    except KeyboardInterrupt:
        # Ctrl-C while the commands are being imported.
        code = 130

    sys.exit(code)


if __name__ == "__main__":
    main()
