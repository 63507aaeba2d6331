#!/usr/bin/env bash
# huggingface_hub: after `hf_hub_download` of one file, `snapshot_download(.., local_files_only=True)` returns the folder
# of that file as if it were the whole model, also where `allow_patterns` asks for weights that are not there. After a
# `snapshot_download` of the files that are needed, the same look-up raises IncompleteSnapshotError, since the README
# that was never asked for is missing: it is only found with the patterns it was downloaded with. So a program that
# looks whether a model is here, after something else has read its configuration, starts without weights, and one that
# does not repeat the patterns believes that a model which is here is not.
#
# Seen with huggingface_hub 2.4.0, which is served here from this machine.
# Fails once that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "huggingface_hub==2.4.0"
cd "$folder"
cat > script.py <<'PYTHON'
import hashlib, json, os, tempfile, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FILES = {"config.json": b"{}", "model.safetensors": b"\x02\x00\x00\x00\x00\x00\x00\x00{}", "README.md": b"A model.\n"}
COMMIT, NEEDED = "a" * 40, ["*.json", "*.safetensors"]
etag = {name: hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest() for name, data in FILES.items()}


class Hub(BaseHTTPRequestHandler):
    def do_GET(self):
        path, found = self.path.split("?")[0], None
        if path.startswith("/api/models/") and "/tree/" in path:
            found = [{"type": "file", "path": n, "size": len(d), "oid": etag[n]} for n, d in FILES.items()]
        elif path.startswith("/api/models/"):
            name = path.split("/api/models/")[1].split("/revision/")[0]
            found = {"id": name, "sha": COMMIT, "siblings": [{"rfilename": n} for n in FILES]}
        body = json.dumps(found).encode() if found is not None else FILES.get(path.rpartition("/")[2], b"")
        self.send_response(200 if body else 404)
        for key, value in {"Content-Length": len(body), "X-Repo-Commit": COMMIT, "Content-Type": "application/json",
                           "ETag": f'"{etag.get(path.rpartition("/")[2], "none")}"'}.items():
            self.send_header(key, str(value))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ.update(HF_ENDPOINT=f"http://127.0.0.1:{server.server_port}", HF_HOME=tempfile.mkdtemp(dir="."),
                  HF_HUB_DISABLE_PROGRESS_BARS="1")

import huggingface_hub as hub


def look_up(name, patterns=None):
    try:
        return sorted(one.name for one in Path(hub.snapshot_download(
            name, allow_patterns=patterns, local_files_only=True)).iterdir())
    except OSError as error:
        return type(error).__name__


print("huggingface_hub", hub.__version__)
hub.hf_hub_download("somebody/first", "config.json")
hub.snapshot_download("somebody/second", allow_patterns=NEEDED)
found = {"one file": look_up("somebody/first"), "one file, with patterns": look_up("somebody/first", NEEDED),
         "what is needed": look_up("somebody/second"), "what is needed, with patterns": look_up("somebody/second", NEEDED)}
for what, result in found.items():
    print(f"downloaded: {what}; found here: {result}")
assert list(found.values()) == [["config.json"], ["config.json"], "IncompleteSnapshotError",
                                ["config.json", "model.safetensors"]]
PYTHON
"$folder/venv/bin/python" script.py
