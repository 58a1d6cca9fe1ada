"""NETCONF messages about subscriptions: one door to requests, replies and errors.

    encode_rpc(message_id, operation) -> bytes          decode_rpc(octets) -> Rpc
    encode_reply(message_id, result, mode=, operation=) -> bytes
    decode_reply(octets) -> RpcReply
    refusal(identity, message, path=, hints=) -> ProtocolError

Operations: ``EstablishSubscription(terms)``, ``ModifySubscription(id, terms)``,
``DeleteSubscription(id)``, ``KillSubscription(id)``, ``ResyncSubscription(id)``, ``Get(selects)``,
``CloseSession()``, ``KillSession(session_id)``, ``OtherOperation(name)``, and those of
``config``: ``GetConfig``, ``GetData``, ``EditConfig``, ``Lock``, ``Unlock``, ``Validate``,
``ResetReceiver``, and of ``commit``: ``Commit``, ``CancelCommit``, ``DiscardChanges``,
``CopyConfig``.
Results: ``Ok()``, ``EstablishOutput(id, generators)``, ``Subscriptions(entries)``,
``Data(content)``, ``ResetOutput(time)``; ``ProtocolError``

The hello and the kind of a session message are in ``hello``; notifications of a session
(``<notification>``, ``<envelope>``, ``<message>``) in ``wire.notifications`` with media type XML.
"""

from collector.wire.netconf.commit import (
    CONFIRM_SECONDS,
    CancelCommit,
    Commit,
    CopyConfig,
    DiscardChanges,
)
from collector.wire.netconf.config import (
    CONFIG_OPERATION_NAMES,
    ConfigOperation,
    EditConfig,
    GetConfig,
    GetData,
    Lock,
    ResetReceiver,
    Unlock,
    Validate,
)
from collector.wire.netconf.errors import ERROR_TAGS, refusal
from collector.wire.netconf.replies import (
    MAX_OUTCOME,
    READS,
    Data,
    EstablishOutput,
    Ok,
    ReceiverState,
    ResetOutput,
    Result,
    RpcReply,
    Subscriptions,
    SubscriptionState,
    decode_reply,
    encode_reply,
)
from collector.wire.netconf.requests import (
    CloseSession,
    DeleteSubscription,
    EstablishSubscription,
    Get,
    KillSession,
    KillSubscription,
    ModifySubscription,
    Operation,
    OtherOperation,
    ResyncSubscription,
    Rpc,
    decode_rpc,
    encode_rpc,
    operation_name,
)
from collector.wire.netconf.rpc_parameters import CANDIDATE, RUNNING, STARTUP

__all__ = [
    "CANDIDATE",
    "CONFIG_OPERATION_NAMES",
    "CONFIRM_SECONDS",
    "ERROR_TAGS",
    "MAX_OUTCOME",
    "READS",
    "RUNNING",
    "STARTUP",
    "CancelCommit",
    "CloseSession",
    "Commit",
    "ConfigOperation",
    "CopyConfig",
    "Data",
    "DeleteSubscription",
    "DiscardChanges",
    "EditConfig",
    "EstablishOutput",
    "EstablishSubscription",
    "Get",
    "GetConfig",
    "GetData",
    "KillSession",
    "KillSubscription",
    "Lock",
    "ModifySubscription",
    "Ok",
    "Operation",
    "OtherOperation",
    "ReceiverState",
    "ResetOutput",
    "ResetReceiver",
    "Result",
    "ResyncSubscription",
    "Rpc",
    "RpcReply",
    "SubscriptionState",
    "Subscriptions",
    "Unlock",
    "Validate",
    "decode_reply",
    "decode_rpc",
    "encode_reply",
    "encode_rpc",
    "operation_name",
    "refusal",
]
