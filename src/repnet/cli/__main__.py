"""`python -m repnet.cli` is `repnet`."""

from repnet.cli import main

main()
