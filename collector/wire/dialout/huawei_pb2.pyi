from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class serviceArgs(_message.Message):
    __slots__ = ("ReqId", "data", "data_json", "errors")
    REQID_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DATA_JSON_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    ReqId: int
    data: bytes
    data_json: str
    errors: str
    def __init__(self, ReqId: _Optional[int] = ..., data: _Optional[bytes] = ..., data_json: _Optional[str] = ..., errors: _Optional[str] = ...) -> None: ...

class Telemetry(_message.Message):
    __slots__ = ("node_id_str", "subscription_id_str", "sensor_path", "collection_id", "collection_start_time", "msg_timestamp", "data_gpb", "collection_end_time", "current_period", "except_desc", "product_name", "encoding", "proto_path", "data_str", "ne_id", "software_version")
    class Encoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        Encoding_GPB: _ClassVar[Telemetry.Encoding]
        Encoding_JSON: _ClassVar[Telemetry.Encoding]
    Encoding_GPB: Telemetry.Encoding
    Encoding_JSON: Telemetry.Encoding
    NODE_ID_STR_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_STR_FIELD_NUMBER: _ClassVar[int]
    SENSOR_PATH_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_ID_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_START_TIME_FIELD_NUMBER: _ClassVar[int]
    MSG_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    DATA_GPB_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_END_TIME_FIELD_NUMBER: _ClassVar[int]
    CURRENT_PERIOD_FIELD_NUMBER: _ClassVar[int]
    EXCEPT_DESC_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_NAME_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    PROTO_PATH_FIELD_NUMBER: _ClassVar[int]
    DATA_STR_FIELD_NUMBER: _ClassVar[int]
    NE_ID_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_VERSION_FIELD_NUMBER: _ClassVar[int]
    node_id_str: str
    subscription_id_str: str
    sensor_path: str
    collection_id: int
    collection_start_time: int
    msg_timestamp: int
    data_gpb: TelemetryGPBTable
    collection_end_time: int
    current_period: int
    except_desc: str
    product_name: str
    encoding: Telemetry.Encoding
    proto_path: str
    data_str: str
    ne_id: str
    software_version: str
    def __init__(self, node_id_str: _Optional[str] = ..., subscription_id_str: _Optional[str] = ..., sensor_path: _Optional[str] = ..., collection_id: _Optional[int] = ..., collection_start_time: _Optional[int] = ..., msg_timestamp: _Optional[int] = ..., data_gpb: _Optional[_Union[TelemetryGPBTable, _Mapping]] = ..., collection_end_time: _Optional[int] = ..., current_period: _Optional[int] = ..., except_desc: _Optional[str] = ..., product_name: _Optional[str] = ..., encoding: _Optional[_Union[Telemetry.Encoding, str]] = ..., proto_path: _Optional[str] = ..., data_str: _Optional[str] = ..., ne_id: _Optional[str] = ..., software_version: _Optional[str] = ...) -> None: ...

class TelemetryGPBTable(_message.Message):
    __slots__ = ("row", "delete", "generator")
    ROW_FIELD_NUMBER: _ClassVar[int]
    DELETE_FIELD_NUMBER: _ClassVar[int]
    GENERATOR_FIELD_NUMBER: _ClassVar[int]
    row: _containers.RepeatedCompositeFieldContainer[TelemetryRowGPB]
    delete: _containers.RepeatedCompositeFieldContainer[DataPath]
    generator: Generator
    def __init__(self, row: _Optional[_Iterable[_Union[TelemetryRowGPB, _Mapping]]] = ..., delete: _Optional[_Iterable[_Union[DataPath, _Mapping]]] = ..., generator: _Optional[_Union[Generator, _Mapping]] = ...) -> None: ...

class Generator(_message.Message):
    __slots__ = ("generator_id", "generator_sn", "generator_sync")
    GENERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATOR_SN_FIELD_NUMBER: _ClassVar[int]
    GENERATOR_SYNC_FIELD_NUMBER: _ClassVar[int]
    generator_id: int
    generator_sn: int
    generator_sync: bool
    def __init__(self, generator_id: _Optional[int] = ..., generator_sn: _Optional[int] = ..., generator_sync: _Optional[bool] = ...) -> None: ...

class TelemetryRowGPB(_message.Message):
    __slots__ = ("timestamp", "content")
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    timestamp: int
    content: bytes
    def __init__(self, timestamp: _Optional[int] = ..., content: _Optional[bytes] = ...) -> None: ...

class DataPath(_message.Message):
    __slots__ = ("timestamp", "path")
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    timestamp: int
    path: Path
    def __init__(self, timestamp: _Optional[int] = ..., path: _Optional[_Union[Path, _Mapping]] = ...) -> None: ...

class Path(_message.Message):
    __slots__ = ("node",)
    NODE_FIELD_NUMBER: _ClassVar[int]
    node: _containers.RepeatedCompositeFieldContainer[PathElem]
    def __init__(self, node: _Optional[_Iterable[_Union[PathElem, _Mapping]]] = ...) -> None: ...

class PathElem(_message.Message):
    __slots__ = ("name", "key")
    class KeyEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    name: str
    key: _containers.ScalarMap[str, str]
    def __init__(self, name: _Optional[str] = ..., key: _Optional[_Mapping[str, str]] = ...) -> None: ...
