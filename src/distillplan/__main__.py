"""`python -m distillplan`."""

from distillplan.cli.main import main

main()
