"""Puts the folder of the checks into the path of imports."""

import pathlib
import sys

CHECKS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKS))
sys.dont_write_bytecode = True
