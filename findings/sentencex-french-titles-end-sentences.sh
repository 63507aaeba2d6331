#!/usr/bin/env bash
# sentencex, Wikimedia's segmenter, has abbreviations for each language. Asked for French, it ends a sentence after 'M.',
# 'Dr.' and 'Mme.' before a name, while with the codes of Spanish, Italian, German and English it goes on after 'Sr.',
# 'Sig.', 'Dr.' and 'Mr.'. So who counts the sentences of French answers gets one more for each person in them.
#
# Seen with sentencex 1.0.32.
# Fails once that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "sentencex==1.0.32"
cd "$folder"
venv/bin/python - <<'PYTHON'
from importlib.metadata import version

from sentencex import segment

print("sentencex", version("sentencex"))
texts = [
    ("fr", "M. Dupont est venu.", 2), ("fr", "Le Dr. Martin est venu.", 2), ("fr", "Hier Mme. Petit est venue.", 2),
    ("es", "El Sr. Moreno ha venido.", 1), ("it", "Il Sig. Rossi \u00e8 venuto.", 1), ("de", "Herr Dr. Klein kam.", 1),
    ("en", "Mr. Smith came.", 1),
]
for code, text, expected in texts:
    found = [piece.strip() for piece in segment(code, text)]
    print(code, found)
    assert len(found) == expected, "the behaviour has changed"
PYTHON
