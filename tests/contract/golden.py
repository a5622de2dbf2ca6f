"""`python -m tests.contract.golden`: write down what the shipped model says of fixed crops.

Run it when a new model is shipped, and look at the difference before committing it. The file names
the model by the SHA-256 of `model.tflite`, so that the test never compares two different models.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.classifier import Classifier
from fer_core.emotions import CLASSES
from fer_core.errors import FerError
from tests.contract.fixed_crops import fixed_crops

GOLDEN_FILE = Path(__file__).with_name("golden.json")
COMMAND = "python -m tests.contract.golden"


def observed(folder: Path | None = None) -> dict[str, Any]:
    """What the model in `folder` (None: the default model) says now."""
    crops = fixed_crops()
    with Classifier(folder, "litert") as classifier:
        probabilities = classifier.classify(np.stack([crop[..., None] for crop in crops.values()]))
        return {
            "model": classifier.card.name,
            "sha256": classifier.card.files["model.tflite"]["sha256"],
            "temperature": classifier.card.temperature,
            "classes": list(CLASSES),
            "probabilities": {
                name: [round(float(share), 6) for share in row]
                for name, row in zip(crops, probabilities, strict=True)
            },
        }


def main() -> int:
    """Write the file; 0 when done, 1 when the model cannot be opened."""
    try:
        golden = observed()
    except FerError as error:
        print(error, file=sys.stderr)
        return 1
    beside = GOLDEN_FILE.with_name(GOLDEN_FILE.name + ".part")
    beside.write_text(json.dumps(golden, indent=2) + "\n", encoding="utf-8")
    beside.replace(GOLDEN_FILE)
    print(f"Wrote {GOLDEN_FILE} for the model {golden['model']} ({golden['sha256'][:12]}).")
    for name, row in golden["probabilities"].items():
        best = max(range(len(CLASSES)), key=row.__getitem__)
        print(f"  {name:<17} {CLASSES[best]:<9} {row[best]:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
