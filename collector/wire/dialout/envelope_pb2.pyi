from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CiscoTelemetry(_message.Message):
    __slots__ = ("node_id_str", "subscription_id_str", "subscription_id", "collection_start_time", "msg_timestamp")
    NODE_ID_STR_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_STR_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_START_TIME_FIELD_NUMBER: _ClassVar[int]
    MSG_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    node_id_str: str
    subscription_id_str: str
    subscription_id: int
    collection_start_time: int
    msg_timestamp: int
    def __init__(self, node_id_str: _Optional[str] = ..., subscription_id_str: _Optional[str] = ..., subscription_id: _Optional[int] = ..., collection_start_time: _Optional[int] = ..., msg_timestamp: _Optional[int] = ...) -> None: ...

class HuaweiTelemetry(_message.Message):
    __slots__ = ("node_id_str", "subscription_id_str", "collection_start_time", "msg_timestamp", "data_gpb")
    NODE_ID_STR_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_STR_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_START_TIME_FIELD_NUMBER: _ClassVar[int]
    MSG_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    DATA_GPB_FIELD_NUMBER: _ClassVar[int]
    node_id_str: str
    subscription_id_str: str
    collection_start_time: int
    msg_timestamp: int
    data_gpb: Table
    def __init__(self, node_id_str: _Optional[str] = ..., subscription_id_str: _Optional[str] = ..., collection_start_time: _Optional[int] = ..., msg_timestamp: _Optional[int] = ..., data_gpb: _Optional[_Union[Table, _Mapping]] = ...) -> None: ...

class Table(_message.Message):
    __slots__ = ("generator",)
    GENERATOR_FIELD_NUMBER: _ClassVar[int]
    generator: Generator
    def __init__(self, generator: _Optional[_Union[Generator, _Mapping]] = ...) -> None: ...

class Generator(_message.Message):
    __slots__ = ("generator_id", "generator_sn")
    GENERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATOR_SN_FIELD_NUMBER: _ClassVar[int]
    generator_id: int
    generator_sn: int
    def __init__(self, generator_id: _Optional[int] = ..., generator_sn: _Optional[int] = ...) -> None: ...
