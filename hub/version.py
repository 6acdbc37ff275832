"""Which version of the hub this is."""

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("ocpi-hub")
    except PackageNotFoundError:  # run from its sources
        return "0+source"


VERSION = _installed()
