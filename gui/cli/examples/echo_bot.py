#!/usr/bin/env python3
"""A bot that sends back what it is told, for Python 3 without anything else.

    echo_bot.py PROGRAM IDENTITY

PROGRAM is sotto-cli, IDENTITY the handle of an identity that was made with
`sotto-cli identity create`. Folder and relay are those of the environment:
SOTTO_DATA_DIR and SOTTO_RELAY.
"""

import json
import signal
import subprocess
import sys


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, identity = sys.argv[1:]
    # SIGTERM ends the bot as Ctrl-C does; its program ends when its input does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sotto = subprocess.Popen(
        [program, "--identity", identity, "rpc"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )

    def call(method, **params):
        request = {"jsonrpc": "2.0", "id": method, "method": method, "params": params}
        sotto.stdin.write(json.dumps(request) + "\n")
        sotto.stdin.flush()

    try:
        call("subscribe")
        for line in sotto.stdout:
            said = json.loads(line)
            if "error" in said:
                print(said["error"]["message"], file=sys.stderr)
            message = said.get("params", {})
            if said.get("method") != "message" or message["direction"] != "in":
                continue
            if message["text"] is not None:
                call("send", identity=identity, to=message["peer"], text=message["text"])
    except KeyboardInterrupt:
        pass
    sotto.stdin.close()
    sys.exit(sotto.wait())


main()
