"""Uses a client that was generated from the description of the API: sends, reads, searches, follows.

Arguments: the addresses (http://127.0.0.1:PORT) and tokens of two nodes that know each other, alice's and bob's.
Says `fine` at the end; whatever is not as the description says it ends it before that.
"""

import json
import sys
import time
from io import BytesIO

from dak_api import AuthenticatedClient
from dak_api.api.events import follow_happened
from dak_api.api.files import file_content, file_upload
from dak_api.api.inbox import list_inbox, read
from dak_api.api.me import me
from dak_api.api.search import list_search
from dak_api.api.send import send
from dak_api.api.status import status
from dak_api.models import Compose, ErrorReport, ReadBody, Upload
from dak_api.types import File

PATIENCE_S = 60


def client(address, token):
    # Lists come as one array to whoever accepts JSON first.
    return AuthenticatedClient(base_url=address, token=token, headers={"Accept": "application/json"}, timeout=PATIENCE_S)


def until(look):
    """Looks until there is something to see."""
    end = time.monotonic() + PATIENCE_S
    while not (seen := look()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return seen


def followed(client, since):
    """The events behind a number, as server-sent events, by the request that the generated client makes."""
    asked = follow_happened._get_kwargs(last_event_id=since)
    asked["headers"] = {**asked.get("headers", {}), "Accept": "text/event-stream"}
    event = {}
    with client.get_httpx_client().stream(**asked) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"] == "text/event-stream"
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name in ("id", "event", "data"):
                event[name] = value
            elif not line and event:
                yield int(event["id"]), event["event"], json.loads(event["data"])
                event = {}


def main(alice_at, alice_token, bob_at, bob_token):
    alice, bob = client(alice_at, alice_token), client(bob_at, bob_token)
    assert me.sync(client=alice).name == "alice"

    file = File(payload=BytesIO(bytes(range(256)) * 4096), file_name="map.bin")
    uploaded = file_upload.sync(client=alice, body=file, name="map.bin")
    assert uploaded.bytes_ == 1 << 20, uploaded
    words = "The pump at camp three leaks"
    letter = Compose(to="bob", text=words, uploads=[Upload(id=uploaded.id, name="map.bin")])
    sent = send.sync(client=alice, body=letter)
    assert sent.to == "bob", sent

    row = until(lambda: list_inbox.sync(client=bob))[0]
    assert (row.text, row.from_, row.read) == (words, "alice", False), row
    letter = read.sync(row.id, client=bob, body=ReadBody(mark=True))
    assert letter.text == words, letter
    until(lambda: [row for row in status.sync(sent.id, client=alice) if row.state == "delivered"])

    hits = list_search.sync(client=bob, q="pump from:alice")
    assert [hit.id for hit in hits] == [row.id], hits

    events = list(zip(range(2), followed(bob, 0)))
    (first, what, data), (second, *_) = [event for _, event in events]
    assert what == "message" and data["text"] == words and data["event"] == first, events
    # Whoever saw the first goes on with the second.
    assert next(followed(bob, first))[0] == second

    content = lambda **more: file_content.sync_detailed(f"{row.id[:10]}/1", client=bob, **more)
    whole = until(lambda: (answer := content()).status_code == 200 and answer.content)
    assert whole == bytes(range(256)) * 4096
    assert content(range_="bytes=300000-300003").content == whole[300000:300004]

    wrong = send.sync(client=alice, body=Compose(to="nobody", text="hi"))
    assert isinstance(wrong, ErrorReport) and wrong.exit_code == 4, wrong
    nobody = me.sync(client=client(alice_at, "dak_00"))
    assert isinstance(nobody, ErrorReport) and nobody.exit_code == 5, nobody
    print("fine")


main(*sys.argv[1:])
