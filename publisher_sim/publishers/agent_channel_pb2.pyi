from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Node(_message.Message):
    __slots__ = ("module", "key")
    MODULE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    module: str
    key: str
    def __init__(self, module: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class Filter(_message.Message):
    __slots__ = ("kind", "text", "namespaces")
    class NamespacesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    KIND_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    NAMESPACES_FIELD_NUMBER: _ClassVar[int]
    kind: str
    text: str
    namespaces: _containers.ScalarMap[str, str]
    def __init__(self, kind: _Optional[str] = ..., text: _Optional[str] = ..., namespaces: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ComponentSubscription(_message.Message):
    __slots__ = ("subscription_id", "period", "anchor", "encoding", "nodes", "filter", "receiver_address", "receiver_port", "timeline_start", "timeline_period", "receiver_transport", "destinations", "dscp", "on_change", "resumed")
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_PORT_FIELD_NUMBER: _ClassVar[int]
    TIMELINE_START_FIELD_NUMBER: _ClassVar[int]
    TIMELINE_PERIOD_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_TRANSPORT_FIELD_NUMBER: _ClassVar[int]
    DESTINATIONS_FIELD_NUMBER: _ClassVar[int]
    DSCP_FIELD_NUMBER: _ClassVar[int]
    ON_CHANGE_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    subscription_id: int
    period: int
    anchor: int
    encoding: str
    nodes: _containers.RepeatedCompositeFieldContainer[Node]
    filter: Filter
    receiver_address: str
    receiver_port: int
    timeline_start: int
    timeline_period: int
    receiver_transport: str
    destinations: _containers.RepeatedCompositeFieldContainer[Destination]
    dscp: int
    on_change: OnChange
    resumed: bool
    def __init__(self, subscription_id: _Optional[int] = ..., period: _Optional[int] = ..., anchor: _Optional[int] = ..., encoding: _Optional[str] = ..., nodes: _Optional[_Iterable[_Union[Node, _Mapping]]] = ..., filter: _Optional[_Union[Filter, _Mapping]] = ..., receiver_address: _Optional[str] = ..., receiver_port: _Optional[int] = ..., timeline_start: _Optional[int] = ..., timeline_period: _Optional[int] = ..., receiver_transport: _Optional[str] = ..., destinations: _Optional[_Iterable[_Union[Destination, _Mapping]]] = ..., dscp: _Optional[int] = ..., on_change: _Optional[_Union[OnChange, _Mapping]] = ..., resumed: _Optional[bool] = ...) -> None: ...

class OnChange(_message.Message):
    __slots__ = ("dampening_period", "sync_on_start", "excluded_change")
    DAMPENING_PERIOD_FIELD_NUMBER: _ClassVar[int]
    SYNC_ON_START_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_CHANGE_FIELD_NUMBER: _ClassVar[int]
    dampening_period: int
    sync_on_start: bool
    excluded_change: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dampening_period: _Optional[int] = ..., sync_on_start: _Optional[bool] = ..., excluded_change: _Optional[_Iterable[str]] = ...) -> None: ...

class Destination(_message.Message):
    __slots__ = ("transport", "address", "port", "path", "max_segment_size")
    TRANSPORT_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    MAX_SEGMENT_SIZE_FIELD_NUMBER: _ClassVar[int]
    transport: str
    address: str
    port: int
    path: str
    max_segment_size: int
    def __init__(self, transport: _Optional[str] = ..., address: _Optional[str] = ..., port: _Optional[int] = ..., path: _Optional[str] = ..., max_segment_size: _Optional[int] = ...) -> None: ...

class EndComponent(_message.Message):
    __slots__ = ("subscription_id", "suspended")
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_FIELD_NUMBER: _ClassVar[int]
    subscription_id: int
    suspended: bool
    def __init__(self, subscription_id: _Optional[int] = ..., suspended: _Optional[bool] = ...) -> None: ...

class ResyncComponent(_message.Message):
    __slots__ = ("subscription_id",)
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    subscription_id: int
    def __init__(self, subscription_id: _Optional[int] = ...) -> None: ...

class ToAgent(_message.Message):
    __slots__ = ("component_subscription", "end_component", "resync_component")
    COMPONENT_SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    END_COMPONENT_FIELD_NUMBER: _ClassVar[int]
    RESYNC_COMPONENT_FIELD_NUMBER: _ClassVar[int]
    component_subscription: ComponentSubscription
    end_component: EndComponent
    resync_component: ResyncComponent
    def __init__(self, component_subscription: _Optional[_Union[ComponentSubscription, _Mapping]] = ..., end_component: _Optional[_Union[EndComponent, _Mapping]] = ..., resync_component: _Optional[_Union[ResyncComponent, _Mapping]] = ...) -> None: ...

class Register(_message.Message):
    __slots__ = ("card", "run", "encodings", "minimum_period", "external_connectivity")
    CARD_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    ENCODINGS_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_PERIOD_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_CONNECTIVITY_FIELD_NUMBER: _ClassVar[int]
    card: str
    run: str
    encodings: _containers.RepeatedScalarFieldContainer[str]
    minimum_period: int
    external_connectivity: bool
    def __init__(self, card: _Optional[str] = ..., run: _Optional[str] = ..., encodings: _Optional[_Iterable[str]] = ..., minimum_period: _Optional[int] = ..., external_connectivity: _Optional[bool] = ...) -> None: ...

class Status(_message.Message):
    __slots__ = ("card", "subscription_id", "state", "detail")
    CARD_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    card: str
    subscription_id: int
    state: str
    detail: str
    def __init__(self, card: _Optional[str] = ..., subscription_id: _Optional[int] = ..., state: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class Forward(_message.Message):
    __slots__ = ("card", "subscription_id", "run", "message_id", "number", "due", "octets")
    CARD_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DUE_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    card: str
    subscription_id: int
    run: str
    message_id: int
    number: int
    due: int
    octets: bytes
    def __init__(self, card: _Optional[str] = ..., subscription_id: _Optional[int] = ..., run: _Optional[str] = ..., message_id: _Optional[int] = ..., number: _Optional[int] = ..., due: _Optional[int] = ..., octets: _Optional[bytes] = ...) -> None: ...

class Count(_message.Message):
    __slots__ = ("card", "subscription_id", "sent", "excluded")
    CARD_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_FIELD_NUMBER: _ClassVar[int]
    card: str
    subscription_id: int
    sent: int
    excluded: int
    def __init__(self, card: _Optional[str] = ..., subscription_id: _Optional[int] = ..., sent: _Optional[int] = ..., excluded: _Optional[int] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("card",)
    CARD_FIELD_NUMBER: _ClassVar[int]
    card: str
    def __init__(self, card: _Optional[str] = ...) -> None: ...

class FromAgent(_message.Message):
    __slots__ = ("register", "status", "heartbeat", "forward", "count")
    REGISTER_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    FORWARD_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    register: Register
    status: Status
    heartbeat: Heartbeat
    forward: Forward
    count: Count
    def __init__(self, register: _Optional[_Union[Register, _Mapping]] = ..., status: _Optional[_Union[Status, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., forward: _Optional[_Union[Forward, _Mapping]] = ..., count: _Optional[_Union[Count, _Mapping]] = ...) -> None: ...
