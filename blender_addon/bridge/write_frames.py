"""Runs in a Blender of its own, a `FrameProcess`: writes the frames that come by standard input."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np

package = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(package.parent))
output = importlib.import_module(f"{package.name}.bridge.output")
refused = importlib.import_module(f"{package.name}.errors").Refused

file_format = output.OutputFormat(**json.loads(sys.argv[-1]))
source = sys.stdin.buffer
while line := source.readline():
    head = json.loads(line)
    frame = np.empty(head["shape"], head["type"])
    if source.readinto(memoryview(frame).cast("B")) < frame.nbytes:
        break  # whoever sent it is gone
    refusal = ""
    try:
        output.write_frame(frame, head["path"], file_format)
    except refused as error:
        refusal = str(error)
    print("endless_loops: " + json.dumps(refusal), flush=True)
