"""Mutation testing: breaks the code in one place at a time and asks whether a test fails.

cosmic-ray makes the mutants; each runs the tests that reach its line, the quickest first, in a fork of one
warm process, on a copy of the tree.
"""
