"""The table by Python's csv: python.py write|read <rows> <path>."""

import csv
import datetime
import re
import sys
import time
from decimal import Decimal

from table import DAYS, HEADER, KINDS, NAMES, amount, say, text, vat

FORMULA = re.compile("['\"]*[=+\\-@\t\r\n\0＝＋－＠]")


def guarded(cell):
    return "'" + cell if FORMULA.match(cell) else cell


def bare(cell):
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell, 1) else cell


def decimal(cents):
    return f"{Decimal(cents).scaleb(-2):.2f}".replace(".", ",")


def write(rows, path):
    cents = 0
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(HEADER)
        for row in range(rows):
            cents += amount(row)
            writer.writerow([
                guarded(f"R{row:08}"), guarded(NAMES[row % 4]), guarded(text(row)), guarded(str(4000 + row % 900)),
                guarded(f"avd. {row % 37}"), decimal(amount(row)), decimal(vat(row)), row % 13,
                DAYS[row % 365].strftime("%d.%m.%Y"), "Ja" if row % 2 == 0 else "Nei", guarded(f"{row:010}"), KINDS[row % 3],
            ])
    return rows, cents


def read(path):
    rows, total = 0, Decimal(0)
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=";", strict=True)
        place = {name: place for place, name in enumerate(next(reader))}
        where = [place[name] for name in HEADER]
        for cells in reader:
            cells = [cells[at] for at in where]
            for at in (0, 1, 2, 3, 4, 10):
                cells[at] = bare(cells[at])
            cells[5], cells[6] = Decimal(cells[5].replace(",", ".")), Decimal(cells[6].replace(",", "."))
            cells[7] = int(cells[7])
            day = cells[8]
            cells[8] = datetime.date(int(day[6:]), int(day[3:5]), int(day[:2]))
            cells[9] = {"Ja": True, "Nei": False}[cells[9]]
            if cells[11] not in KINDS:
                raise ValueError("not a kind")
            total += cells[5]
            rows += 1
    return rows, int(total * 100)


if __name__ == "__main__":
    way, count, where_to = sys.argv[1:]
    began = time.perf_counter()
    say(began, *(write(int(count), where_to) if way == "write" else read(where_to)))
