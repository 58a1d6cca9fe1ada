"""Two small YANG modules with every type, their SIDs, and the schema that comes of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from collector.model import SidTable
from collector.schema.building import load_schema
from collector.schema.tree import Schema

BASE = """
module test-base {
  yang-version 1.1;
  namespace "urn:test:base-leaves";
  prefix tb;

  identity kind;
  identity copper { base kind; }
  identity coax { base copper; }
  identity other;

  typedef percent { type decimal64 { fraction-digits 2; range "0..100"; } }
  typedef state { type enumeration { enum up { value 1; } enum down { value 5; } enum odd; } }
  typedef flags {
    type bits {
      bit unknown; bit under-repair; bit critical; bit major; bit minor;
      bit warning { position 8; } bit indeterminate { position 128; }
    }
  }
  typedef either {
    type union {
      type uint8 { range "1..9"; }
      type state;
      type flags;
      type identityref { base kind; }
      type instance-identifier;
      type union { type percent; type boolean; type empty; }
      type binary { length "3"; }
      type string;
    }
  }

  container top {
    list entry {
      key "name slot";
      leaf name { type string; }
      leaf slot { type uint8; }
      leaf tiny { type int8; }
      leaf small { type int16; }
      leaf middle { type int32; }
      leaf large { type int64; }
      leaf byte { type uint8; }
      leaf word { type uint16; }
      leaf double-word { type uint32; }
      leaf huge { type uint64; }
      leaf ratio { type percent; }
      leaf fine { type decimal64 { fraction-digits 18; } }
      leaf on { type boolean; }
      leaf state { type state; }
      leaf flags { type flags; }
      leaf kind { type identityref { base kind; } }
      leaf key { type binary; }
      leaf there { type empty; }
      leaf where { type instance-identifier; }
      leaf peer { type leafref { path "../../entry/name"; } }
      leaf peer-slot { type leafref { path "../../entry/slot"; } }
      leaf either { type either; }
      leaf-list tag { type string; }
      leaf-list number { type uint64; }
      container deep {
        choice way {
          case one { leaf first { type string; } }
          leaf second { type uint32; }
        }
      }
    }
    list log { config false; leaf text { type string; } leaf at { type uint64; } }
    anydata any;
    anyxml free;
  }
  notification alarm { leaf text { type string; } }
}
"""
MORE = """
module test-more {
  namespace "urn:test:more";
  prefix tm;
  import test-base { prefix b; }
  identity fibre { base b:kind; }
  augment "/b:top/b:entry" {
    leaf colour { type enumeration { enum red; enum blue; } }
    container deep { leaf first { type uint64; } }
  }
  container elsewhere { leaf x { type int32; } }
}
"""


def write_modules(folder: Path) -> Path:
    """The two modules as files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "test-base.yang").write_text(BASE)
    (folder / "test-more.yang").write_text(MORE)
    return folder


@cache
def schema() -> Schema:
    """Made once; nobody changes it."""
    with TemporaryDirectory() as folder:
        found, wrong = load_schema([write_modules(Path(folder))])
    assert not wrong
    return found


ENTRY = "/test-base:top/entry"
NAMES = (
    "name", "slot", "tiny", "small", "middle", "large", "byte", "word", "double-word", "huge",
    "ratio", "fine", "on", "state", "flags", "kind", "key", "there", "where", "peer", "peer-slot",
    "either", "tag", "number", "deep", "deep/first", "deep/second", "test-more:colour",
    "test-more:deep", "test-more:deep/first",
)  # fmt: skip
SIDS = SidTable(
    {
        60001: "/test-base:top",
        60002: ENTRY,
        **{60100 + 3 * at: f"{ENTRY}/{name}" for at, name in enumerate(NAMES)},
        60003: "/test-base:top/log",
        60004: "/test-base:top/log/text",
        60005: "/test-base:top/log/at",
        60006: "/test-base:top/any",
        60500: "/test-more:elsewhere",
        60499: "/test-more:elsewhere/x",
    },
    {60301: "test-base:copper", 60302: "test-base:coax", 60303: "test-more:fibre"},
)
"""Some below their parents, one smaller than its parent."""
