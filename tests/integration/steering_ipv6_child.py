"""Run in a network namespace of its own: many IPv6 sources, devices of two addresses, two lanes."""

from __future__ import annotations

import subprocess

from collector.receivers.sockets.steering import lane_of
from tests.integration.test_steering_sockets import arrived, group, send


def main() -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    sources = [f"2001:db8::{number:x}:{card}" for number in range(1, 21) for card in (1, 2)]
    for source in (*sources, "2001:db8::fffe"):
        subprocess.run(["ip", "addr", "add", f"{source}/128", "dev", "lo", "nodad"], check=True)
    table = {source: lane_of(f"{source[:-1]}1", 2) for source in sources}
    assert table != {source: lane_of(source, 2) for source in sources}
    for listened in ("::", "2001:db8::fffe"):
        with group(listened, 2, table) as sockets:
            port = sockets[0].getsockname()[1]
            for source in sources:
                send(source, port, times=2, target="2001:db8::fffe")
            found = arrived(sockets, 2 * len(sources))
        assert found == {source: {lane} for source, lane in table.items()}, found
    print(f"{len(sources)} sources, each in its lane")


if __name__ == "__main__":
    main()
