"""`python -m xtrace`"""

from xtrace.cli.main import main

main()
