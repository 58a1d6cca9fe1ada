"""The command line as a whole: help, versions, errors, exit statuses, start-up."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from collector import cli
from collector.cli import COMMANDS, status_of
from collector.command_line import complain
from collector.errors import ConfigError, UsageError
from tests.unit.capture_maker import cards, write

LEAVES = [name for name in COMMANDS if name != "yang"]


def run(*arguments: str) -> int:
    return status_of(list(arguments))


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """A command ``fail`` that raises what is put into the list."""
    errors: list[BaseException] = []

    @click.command()
    def fail() -> None:
        raise errors[0]

    monkeypatch.setattr(cli, "fail", fail, raising=False)
    monkeypatch.setitem(COMMANDS, "fail", ("collector.cli:fail", "Fail."))
    return errors


# --------------------------------------------------------------------------- help
def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    out = capsys.readouterr().out
    for name, (_, text) in COMMANDS.items():
        assert f"  {name} " in out
        assert text.split()[-1] in out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(name, "--help") == 0
    out = capsys.readouterr().out
    assert "collector " + name in out.split("Options:")[1] or "Start with" in out
    assert "--help" in out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_overview_says_what_the_command_says(name: str) -> None:
    context = click.Context(cli.cli)
    command = cli.cli.get_command(context, name)
    assert command is not None
    assert command.help is not None
    assert COMMANDS[name][1] == " ".join(command.help.split("\n\n")[0].split())


def test_the_names_of_options_and_commands_are_unique() -> None:
    context = click.Context(cli.cli)
    for name in LEAVES:
        command = cli.cli.get_command(context, name)
        assert command is not None
        options = [option for p in command.params for option in p.opts]
        assert len(options) == len(set(options)), name


def test_versions(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    out = capsys.readouterr().out
    assert re.match(r"collector 0\.1\.0 \((compiled core|pure Python)\)\nPython 3\.", out)
    assert "pyarrow " in out
    assert "missing" not in out
    assert "receive path: recv" in out


def test_nothing_said_shows_the_overview(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 2
    captured = capsys.readouterr()
    assert "Commands:" in captured.out + captured.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("completion", shell) == 0
    assert "_COLLECTOR_COMPLETE" in capsys.readouterr().out
    completed = ShellComplete(cli.cli, {}, "collector", "_COLLECTOR_COMPLETE")
    assert [item.value for item in completed.get_completions([], "ver")] == ["verdicts"]


# --------------------------------------------------------------------------- errors
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["rum"], "collector: there is no command rum, did you mean run?; see collector --help"),
        (["zzz"], "collector: there is no command zzz; see collector --help"),
        (["--zzz"], "collector: No such option '--zzz'; see collector --help"),
        (["demo", "--cards", "1"], 'collector: Invalid value for \'--cards\': "1" is no whole'),
        (["demo", "--duration", "x"], "collector: Invalid value for '--duration'"),
        (["run", "-c", "/no/such"], "collector: /no/such: No such file or directory"),
        (["subscribe", "h"], "collector: Missing option '--user'"),
        (["query", "--json", "--csv", "x"], "collector: --json and --csv cannot be used together"),
        (["verdicts", "--follow", "--until", "now", "--store", "/tmp"], "collector: --follow"),
        (["status", "--store", "/no/such"], "collector: there is no data folder /no/such;"),
        (["replay", "/", "--store", "/"], "collector: --store names the folder itself"),
    ],
)  # fmt: skip
def test_an_error_is_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith(sentence)
    assert err.count("\n") == 1


def test_our_errors_are_sentences_with_all_their_notes(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    error = ConfigError("is wrong\x1b[2J", file="f", key="k")
    error.add_note("f: k2: is wrong too")
    failing.append(error)
    assert run("fail") == 2
    assert (
        capsys.readouterr().err == "collector: f: k: is wrong [2J\ncollector: f: k2: is wrong too\n"
    )


def test_an_unexpected_error_is_still_no_traceback(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing.append(KeyError("x"))
    assert run("fail") == 2
    err = capsys.readouterr().err
    assert err.startswith("collector: unexpected KeyError: 'x' (set COLLECTOR_DEBUG=1")
    assert "Traceback" not in err


def test_what_the_system_refuses_is_a_sentence(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing.append(PermissionError(13, "Permission denied", "d/journal"))
    assert run("fail") == 2
    assert capsys.readouterr().err == "collector: d/journal cannot be used: Permission denied\n"


@pytest.mark.parametrize("error", [KeyError("x"), UsageError("x")])
def test_who_debugs_gets_the_traceback(
    failing: list[BaseException], error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTOR_DEBUG", "1")
    failing.append(error)
    with pytest.raises(type(error)):
        run("fail")


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt(), 130), (click.Abort(), 130), (click.exceptions.Exit(1), 1)],
)
def test_exit_statuses(failing: list[BaseException], error: BaseException, status: int) -> None:
    failing.append(error)
    assert run("fail") == status


@pytest.mark.integration
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_who_has_seen_enough_is_no_error(unbuffered: str) -> None:
    done = subprocess.run(
        f"{sys.executable} -m collector init -o - | :; exit ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == ""


def in_shell(line: str) -> subprocess.CompletedProcess[str]:
    """``line`` in bash, ``collector`` standing for the command."""
    command = f'collector() {{ {sys.executable} -m collector "$@"; }}; {line}'
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)


@pytest.mark.integration
def test_a_picture_in_a_pipe_that_closes_is_no_answer_no(tmp_path: Path) -> None:
    source = write(tmp_path / "a.pcap", cards(200))
    done = in_shell(f"collector replay {source} | :; exit ${{PIPESTATUS[0]}}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.integration
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_output_that_is_full_is_said() -> None:
    done = in_shell("collector init -o - > /dev/full")
    assert done.returncode == 2
    assert done.stderr == "collector: the output cannot be written: No space left on device\n"


@pytest.mark.integration
@pytest.mark.parametrize("command", ["init -o -", "replay {0}", "replay {0} --json"])
def test_a_closed_output_wants_none(command: str, tmp_path: Path) -> None:
    source = write(tmp_path / "a.pcap", cards(12))
    done = in_shell(f"collector {command.format(source)} >&-")
    assert (done.returncode, done.stderr.count("unexpected")) == (0, 0)


@pytest.mark.integration
def test_the_overview_imports_nothing_heavy() -> None:
    code = (
        "import sys; from collector.cli import status_of; status_of(['--help']);"
        "print(*({'msgspec', 'numpy', 'rich', 'pyarrow', 'duckdb', 'asyncssh', 'asyncio',"
        " 'prometheus_client', 'lxml'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""


@pytest.mark.integration
def test_a_terminal_that_cannot_show_a_name() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "collector", "Zürich"],
        capture_output=True, text=True, check=False, env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("collector: there is no command Z")


@pytest.mark.integration
def test_python_dash_m() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "collector", "rum"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("collector: there is no command rum")


@pytest.mark.parametrize("name", ["collector", "publisher-sim"])
@pytest.mark.parametrize("dash_m", [True, False])
def test_ctrl_c_during_the_imports_is_silent(tmp_path: Path, name: str, dash_m: bool) -> None:
    """The first library that is imported gets the signal."""
    (tmp_path / "click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    table = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    module, function = table["project"]["scripts"][name].split(":")
    script = ["-m", name.replace("-", "_")]
    if not dash_m:
        script = ["-c", f"import sys; from {module} import {function}; sys.exit({function}())"]
    done = subprocess.run(
        [sys.executable, *script, "--version"], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(tmp_path)}, timeout=60,
        # a shell starts its background jobs deaf to SIGINT, and children inherit that
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_long_error_keeps_its_words_whole_in_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = "collector: " + "one-long-word " * 12 + "x" * 70
    complain(sentence)
    assert capsys.readouterr().err == f"{sentence}\n"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "fileno", lambda: 2)
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((50, 24)))
    complain(sentence)
    lines = capsys.readouterr().err.splitlines()
    assert " ".join(lines) == sentence
    assert len(lines) > 3
    assert max(map(len, lines[:-1])) <= 50
    assert lines[-1] == "x" * 70
