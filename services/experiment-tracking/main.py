#!/usr/bin/env python3
"""`python3 main.py` from the folder of the service: becomes the launcher of the same name at the top of the checkout."""

import os
import sys
from pathlib import Path

launcher = Path(__file__).resolve().parents[2] / "main.py"
os.execv(sys.executable, [sys.executable, str(launcher)] + sys.argv[1:])
