"""What `distillplan` says alone: three ways to ask, and where to look next."""

FIRST_SCREEN = """\
Distill, or train from data alone? Three ways to ask:

With compute
  distillplan budget "8 h100-sxm for 7 days" --student 1B
With money
  distillplan budget '$5k' --gpu rtx-4090 --student 400M
As a map
  distillplan sweep --compute 1e19:1e23:9 --student 1B,3B

A teacher to learn from: add --teacher llama-3.1-8b to each.

Where to look next
  distillplan models         open models (also: gpus, laws)
  distillplan example        files to try it with
  distillplan explain WORD   a warning or a term
  distillplan help           all commands
  distillplan help COMMAND   all options of one
"""
