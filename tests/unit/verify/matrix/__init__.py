"""The matrix format x attack: every cell is a file that must be refused, or says why there is none.

`formats` makes signed files of each format to order, `attacks` spoils them; `python -m tests.unit.verify.matrix` (`make
verify-matrix`) tries every cell and prints the table.
"""
