"""``collector query``."""

from __future__ import annotations

import sys

import click

from collector.cli.options import Moment, data_folder, json_option, store_option


@click.command(
    epilog="""\b
Examples:
  collector query "SELECT outcome, count(*) FROM verdicts_last GROUP BY outcome"
  collector query --csv "SELECT * FROM updates WHERE device = 'core7' LIMIT 10"
  collector query --since today "SELECT * FROM verdicts WHERE device = 'core7'"
  collector query --leaves --since -5m "SELECT received_at, path, value FROM leaves
      WHERE node LIKE '%/in-octets' ORDER BY path, received_at"
"""
)
@click.argument("sql")
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values with a header.")
@click.option("--since", type=Moment(), help="Only rows from this time on: RFC 3339, today, -1h.")
@click.option("--until", type=Moment(), help="Only rows before this time.")
@click.option("--leaves", is_flag=True, help="Find the leaves in the payloads of updates now.")
@store_option
def query(
    sql: str,
    as_json: bool,
    as_csv: bool,
    since: int | None,
    until: int | None,
    leaves: bool,
    folder: str | None,
    config_file: str | None,
) -> None:
    """Ask the store in SQL.

    Tables: updates, verdicts (amendments too), verdicts_last (each period as now known),
    subscriptions, events, edits (of on-change subscriptions), and leaves where the configuration
    asks for them ([store] leaves); DESCRIBE names the columns of one. Rows that the running
    collector has not stored yet are in them, but for leaves. With lanes each has a column lane, to
    which journal offsets and revisions belong. The store cannot be changed from here. With - as SQL
    it is read from standard input.

    With --since or --until all tables have rows of these times only (verdicts: of these periods;
    updates: received then), and files of other times are not opened: a large store answers sooner.

    With --leaves the table leaves is made of the payloads of updates when it is asked for, also of
    those that came a moment ago; with the modules of [schema], if the configuration names any.
    """
    from collector.cli.asking import asked, provide_leaves
    from collector.errors import UsageError
    from collector.views.answers import print_answer

    if as_json and as_csv:
        raise UsageError("--json and --csv cannot be used together")
    text = sys.stdin.read() if sql == "-" else sql
    with asked(data_folder(folder, config_file)) as session:
        if leaves:
            provide_leaves(session, folder, config_file, since, until)
        try:
            answer = session.run(text, since=since, until=until)
        except RuntimeError as error:
            if "interrupted" not in str(error).lower():
                raise
            raise KeyboardInterrupt from None  # so DuckDB spells a Ctrl-C
        print_answer(answer, "json" if as_json else "csv" if as_csv else "table")
