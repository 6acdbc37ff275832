"""`ocpi-hub`, and `python -m hub`, which is the same."""

from __future__ import annotations

import gc
import sys

from hub.listener.early import end_on_signals


def main() -> None:
    """Run one command. A hub that is told to end while it still loads does so at once."""
    if sys.argv[1:2] == ["serve"]:
        end_on_signals()
    gc.disable()  # what is loaded stays
    from hub import cli  # noqa: PLC0415 - loading it takes longer than a signal may wait

    gc.enable()
    cli.main()


if __name__ == "__main__":
    main()
