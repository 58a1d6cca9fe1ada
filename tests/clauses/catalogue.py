"""Every MUST that concerns a subscriber or a publisher, in our words.

An id is the document, the section and a letter where a section has several. ``why_open`` says why
there is no test; a clause with a test has none. What binds other documents (transport
specifications, YANG authors) is not listed.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Clause(NamedTuple):
    """One requirement."""

    id: str
    end: str
    """Whom it binds: ``publisher``, ``subscriber`` (or receiver), ``both``."""
    text: str
    why_open: str = ""


_P: Final = "publisher"
_S: Final = "subscriber"

RFC8639: Final = (
    Clause("8639-2.1-a", _P, "without access control every receiver may have every event record"),
    Clause(
        "8639-2.1-b",
        _P,
        "a subscription ends when its receiver may no longer read the stream",
        "the simulator's permissions do not change during a run",
    ),
    Clause("8639-2.1-c", _P, "records leave in the order of the stream"),
    Clause("8639-2.3-a", _P, "dscp marks notifications and state changes in the IP header"),
    Clause("8639-2.3-b", _P, "bandwidth is shared by weighting while subscriptions wait"),
    Clause("8639-2.3-c", _P, "what a parent selects leaves before what depends on it"),
    Clause("8639-2.3-d", _P, "an unknown dependency is silently removed"),
    Clause("8639-2.4.2-a", _P, "without encoding that of the RPC is used"),
    Clause("8639-2.4.2-b", _P, "replay-start-time lies in the past"),
    Clause(
        "8639-2.4.2-c", _P, "hints for a stream are in establish-subscription-stream-error-info"
    ),
    Clause("8639-2.4.2.1-a", _P, "a revised start of a replay is in replay-start-time-revision"),
    Clause("8639-2.4.2.1-b", _P, "stop-time of a replay is later than its start"),
    Clause(
        "8639-2.4.2.1-c", _P, "a replay with nothing to replay: replay-completed follows at once"
    ),
    Clause("8639-2.4.3-a", _P, "a rejected modify-subscription changes nothing"),
    Clause("8639-2.4.3-b", _P, "its hints are in modify-subscription-stream-error-info"),
    Clause("8639-2.4.4", _P, "nothing is sent after the OK of delete-subscription"),
    Clause("8639-2.4.5-a", _P, "kill-subscription ends any dynamic subscription by its id"),
    Clause("8639-2.4.5-b", _P, "a configured subscription cannot be killed"),
    Clause("8639-2.4.6-a", _P, "errors of the transport are handled before those of the RPC"),
    Clause("8639-2.4.6-b", _P, "a failed establish-subscription says its reason"),
    Clause("8639-2.4.6-c", _P, "a failed modify-subscription says its reason"),
    Clause("8639-2.4.6-d", _P, "a failed delete- or kill-subscription says its reason"),
    Clause("8639-2.5-a", _P, "several configured subscriptions share a transport session"),
    Clause(
        "8639-2.5-b",
        _P,
        "without a source the default interface is used",
        "one machine: the kernel's choice of the route is all there is",
    ),
    Clause("8639-2.5.1-a", _P, "a reset receiver goes to connecting"),
    Clause("8639-2.5.1-b", _P, "a receiver that cannot be served is suspended, and told"),
    Clause("8639-2.5.1-c", _P, "it is active again after subscription-resumed or -modified"),
    Clause("8639-2.5.2", _S, "configuration names each receiver and how it is reached"),
    Clause("8639-2.5.6", _P, "a configured replay says replay-previous-event-time"),
    Clause("8639-2.5.7", _P, "a transport model augments the receivers"),
    Clause("8639-2.6-a", _P, "a notification message has an eventTime at its top level"),
    Clause("8639-2.6-b", _P, "no record under new terms before the RPC reply"),
    Clause("8639-2.6-c", _P, "no record before subscription-started or -modified"),
    Clause("8639-2.7-a", _P, "state changes are sent beside the records"),
    Clause("8639-2.7.2", _P, "a change of a named filter is told by subscription-modified"),
    Clause("8639-2.7.3", _P, "an unexpected end is told by subscription-terminated"),
    Clause("8639-2.9", _P, "the YANG library names the module and its features"),
    Clause("8639-7-a", _P, "several establish-subscription on one transport session"),
    Clause("8639-7-b", "both", "publisher and receiver authenticate each other"),
    Clause("8639-7-c", _P, "who asks is authorised for what is asked"),
    Clause("8639-7-d", _P, "records and state changes use the same transport session"),
    Clause("8639-8-a", _P, "what cannot be afforded is rejected"),
    Clause("8639-8-b", _P, "kill-subscription needs administrative rights"),
)

RFC8640: Final = (
    Clause("8640-3-a", _P, "no RFC 5277 subscription beside an established one on a session"),
    Clause("8640-3-b", _P, "create-subscription is then answered operation-not-supported"),
    Clause(
        "8640-3-c",
        _P,
        "establish-subscription is refused after create-subscription",
        "the simulator has no create-subscription, so the state cannot arise",
    ),
    Clause("8640-3-d", _P, "without RFC 5277 the notification capability is not advertised"),
    Clause("8640-4-a", _P, "encode-xml is supported"),
    Clause("8640-4-b", _P, "the event stream NETCONF exists"),
    Clause("8640-5-a", _P, "a dynamic subscription ends with its session"),
    Clause("8640-5-b", "both", "modify, delete and resync use the session that established"),
    Clause("8640-6-a", _P, "notifications are RFC 5277 messages with eventTime"),
    Clause("8640-6-b", _P, "those of a dynamic subscription use its session"),
    Clause("8640-7-a", _P, "an rpc-error has type application and the tag of the identity"),
    Clause("8640-7-b", _P, "error-app-tag is module name and identity"),
)

RFC8641: Final = (
    Clause("8641-3.6", _P, "at least one type of selection filter"),
    Clause("8641-3.7-a", _P, "push-update first where the receiver has to be synchronised"),
    Clause("8641-3.7-b", _P, "patch-id starts again at 0 after a push-update"),
    Clause("8641-3.7-c", _P, "patch-id goes from 4294967295 to 0"),
    Clause("8641-3.9-a", _P, "only what the receiver may read is sent"),
    Clause("8641-3.9-b", _P, "what it may not read is left out silently"),
    Clause("8641-3.9-c", _P, "a filter may select what does not exist"),
    Clause("8641-3.9-d", _P, "an empty periodic update is sent"),
    Clause("8641-3.9-e", _P, "an empty on-change update is not sent"),
    Clause(
        "8641-3.9-f",
        _P,
        "lost read access is a delete, or the subscription starts again",
        "the simulator's permissions do not change during a run",
    ),
    Clause("8641-3.11.1-a", _P, "updates of a subscription are not resequenced"),
    Clause("8641-3.11.1-b", _P, "incomplete-update is set where something is missing"),
    Clause("8641-3.11.1-c", _P, "no update record at all suspends the subscription"),
    Clause("8641-3.11.1-d", _P, "a resumed on-change subscription is made whole, or says so"),
    Clause("8641-4.2", _P, "without anchor-time the first update sets it"),
    Clause("8641-4.3.2", _P, "an update carries the subscription's id"),
    Clause("8641-4.4.1", _P, "a failed establish says its reason, with hints in its container"),
    Clause("8641-4.4.2-a", _P, "parameters that are not sent stay as they are"),
    Clause("8641-4.4.2-b", _P, "a rejected modify leaves the subscription and says why"),
    Clause("8641-4.4.4", _P, "a failed resync says its reason"),
    Clause("8641-5-sync", _P, "without sync-on-start no push-update is sent"),
    Clause("8641-A.2", _P, "unexpected suspension and end give a reason"),
)

BASE_DRAFT: Final = (
    Clause("mso-5-a", _P, "no component subscription for a publisher without a way out"),
    Clause("mso-5-b", _P, "component subscriptions do not overlap"),
    Clause("mso-5-c", _P, "together they cover the global subscription"),
    Clause("mso-7-a", "both", "the reply to establish-subscription lists the generators"),
    Clause("mso-7-b", "both", "subscription-started and -modified list them"),
    Clause("mso-7-c", _P, "the master sends the state changes, and it alone"),
    Clause("mso-7-d", "both", "another decomposition is told by subscription-modified"),
    Clause(
        "mso-8",
        _P,
        "a publisher over a connection can be reached by the receiver",
        "connections here are opened by publishers; nothing is sent to them",
    ),
    Clause("mso-13", _P, "the list of generators is under access control"),
)

RFC8071: Final = (
    Clause("8071-3.1-c1", _S, "listens on port 4334 unless told otherwise"),
    Clause(
        "8071-3.1-c4",
        _S,
        "over TLS heartbeats are allowed",
        "call home over TLS is not built; over SSH there is no heartbeat extension",
    ),
    Clause("8071-3.1-c5", _S, "the host key of who calls is verified or pinned"),
    Clause("8071-3.1-c7", _S, "credentials are those that belong to that host key"),
    Clause("8071-4.1-s1", _P, "connects to port 4334 unless told otherwise"),
    Clause("8071-4.1-s5", _P, "who does not authenticate in time is closed"),
    Clause("8071-4.1-s7", _P, "a persistent connection is tested by requests that want a reply"),
)

CAPABILITIES: Final = (
    Clause("9196-4.2-a", _S, "the first entry that selects a node counts, then the system"),
    Clause("9196-4.2-b", _P, "entries are in the order of their precedence"),
    Clause("8525-3", "both", "the library names modules, features, datastores and a content-id"),
    Clause("8341-3.4.4-a", _P, "an operation with default-deny-all needs a rule that permits it"),
    Clause("8341-3.4.4-b", _P, "a denied operation is answered with access-denied"),
    Clause("8341-3.2.4", _P, "data that may not be read is left out, without an error"),
)

CONFIGURATION: Final = (
    Clause("6241-7.3", _P, "a copy from a datastore to itself is answered invalid-value"),
    Clause("6241-7.5", _P, "no lock on running while a commit of another waits to be confirmed"),
    Clause("6241-8.4.1-a", _P, "what is not confirmed in time, by default 600 s, is reverted"),
    Clause("6241-8.4.1-b", _P, "a follow-up confirmed commit starts the time anew"),
    Clause("6241-8.4.1-c", _P, "without persist its own session confirms"),
    Clause("6241-8.4.1-d", _P, "with persist who confirms says its token as persist-id"),
    Clause("6241-8.4.1-e", _P, "the end of the session reverts, unless there is a token"),
    Clause("6241-8.4.1-f", _P, "a reboot reverts"),
    Clause("6241-8.4.1-g", _S, "locks are held around a confirmed commit"),
    Clause("6241-8.4.4.1-a", _P, "cancel-commit without persist-id is of the same session"),
    Clause("6241-8.4.4.1-b", _P, "a persist-id that does not match is answered invalid-value"),
    Clause("6241-8.7-a", _P, "what changes running does not change startup"),
    Clause("6241-8.7-b", _P, "startup is known to get-config, copy-config, lock and validate"),
    Clause("6241-8.7-c", _S, "running is copied to startup after a change, also a confirmed one"),
    Clause("6241-8.7-d", _P, "startup is what a device begins with"),
    Clause("6470-2.2", _P, "each step of a confirmed commit is an event, with who and how long"),
)

CLAUSES: Final = {
    "RFC 8639 (subscribed notifications)": RFC8639,
    "RFC 8640 (over NETCONF)": RFC8640,
    "RFC 8641 (YANG-Push)": RFC8641,
    "draft-zhou-netconf-multi-stream-originators-10": BASE_DRAFT,
    "RFC 8071 (call home)": RFC8071,
    "RFC 9196, 8525, 8341 (what a device can and whom it tells)": CAPABILITIES,
    "RFC 6241, 6470 (commits that are confirmed, startup)": CONFIGURATION,
}
