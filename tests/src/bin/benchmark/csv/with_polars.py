"""The table by polars: with_polars.py write|read <rows> <path>."""

import sys
import time

import polars as pl

from table import DAYS, HEADER, KINDS, NAMES, say

FORMULA = "^['\"]*[=+\\-@\t\r\n\0＝＋－＠]"
GUARDED = "^'['\"]*[=+\\-@\t\r\n\0＝＋－＠]"
TEXTS = ["Referanse", "Navn", "Tekst", "Konto", "Avdeling", "KID"]


def decimal(cents):
    """Writes øre with a comma: there is no exact type that is written with one."""
    size = cents.abs()
    sign = pl.when(cents < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.concat_str(sign, size // 100, pl.lit(","), (size % 100).cast(pl.String).str.zfill(2))


def chosen(words, row):
    return pl.lit(pl.Series(words)).gather(row % len(words))


def write(rows, path):
    row = pl.col("row")
    cents = row * 7919 % 2_000_000 - 1_000_000
    table = pl.DataFrame({"row": pl.int_range(rows, dtype=pl.Int64, eager=True)})
    text = (
        pl.when(row % 10 == 0).then(pl.format('Reise; "tur" {}', row))
        .when(row % 10 == 1).then(pl.format("=1+{}", row))
        .otherwise(pl.format("Utlegg {}", row))
    )
    columns = [
        pl.concat_str(pl.lit("R"), row.cast(pl.String).str.zfill(8)), chosen(NAMES, row), text, (4000 + row % 900).cast(pl.String),
        pl.format("avd. {}", row % 37), decimal(cents), decimal(row * 31 % 25_000), row % 13, chosen(DAYS, row),
        pl.when(row % 2 == 0).then(pl.lit("Ja")).otherwise(pl.lit("Nei")), row.cast(pl.String).str.zfill(10), chosen(KINDS, row),
    ]
    total = table.select(cents.sum()).item()
    table = table.select(column.alias(name) for name, column in zip(HEADER, columns))
    guard = pl.when(pl.col(TEXTS).str.contains(FORMULA)).then("'" + pl.col(TEXTS)).otherwise(pl.col(TEXTS))
    table = table.with_columns(guard.name.keep())
    table.write_csv(path, include_bom=True, separator=";", line_terminator="\r\n", date_format="%d.%m.%Y")
    return rows, total


def read(path):
    types = dict.fromkeys(HEADER, pl.String) | {"Antall": pl.Int64, "Type": pl.Enum(KINDS)}
    table = pl.read_csv(path, separator=";", schema_overrides=types)
    texts = pl.col(TEXTS)
    table = table.with_columns(
        pl.when(texts.str.contains(GUARDED)).then(texts.str.slice(1)).otherwise(texts).name.keep(),
        pl.col("Beløp", "Mva").str.replace(",", ".", literal=True).cast(pl.Decimal(38, 2)),
        pl.col("Dato").str.to_date("%d.%m.%Y"),
        pl.col("Betalt").replace_strict({"Ja": True, "Nei": False}),
    )
    return table.height, int(table["Beløp"].sum() * 100)


if __name__ == "__main__":
    way, count, where_to = sys.argv[1:]
    began = time.perf_counter()
    say(began, *(write(int(count), where_to) if way == "write" else read(where_to)))
