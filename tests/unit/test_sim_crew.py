"""Accounts of agent processes are read whole, in pieces, and never half a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from publisher_sim import crew
from publisher_sim.accounts import Killed, encode_fact
from publisher_sim.publishers.agent_loop import AccountFile
from publisher_sim.scenario import Scenario


def test_accounts_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "_CHUNK", 100)
    path = tmp_path / "account.jsonl"
    one = crew.ProcessCrew(Scenario(), lambda message: None, lambda card, run: None)
    one._all.append(crew._Process(None, path))  # type: ignore[arg-type]  # no process is needed
    assert list(one.facts()) == []
    facts = [Killed(number, "101") for number in range(50)]
    file = AccountFile(path)
    for fact in facts[:20]:
        file.note(fact)
    assert list(one.facts()) == facts[:20]
    for fact in facts[20:]:
        file.note(fact)
    file.close()
    with path.open("ab") as torn:
        torn.write(encode_fact(facts[0])[:10])
    assert list(one.facts()) == facts[20:]
    assert list(one.facts()) == []
    one.remove()
