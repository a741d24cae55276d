// The table by csv-stringify and csv-parse: node.mjs write|read <rows> <path>.

import { createReadStream, createWriteStream, readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parse } from "csv-parse";
import { stringify } from "csv-stringify";

const HEADER = ["Referanse", "Navn", "Tekst", "Konto", "Avdeling", "Beløp", "Mva", "Antall", "Dato", "Betalt", "KID", "Type"];
const NAMES = ["Åse Bjørk-Ødegård", "O'Brien", "李小龍", "Kari"];
const KINDS = ["reise", "kurs", "utlegg"];
const DAYS = Array.from({ length: 365 }, (_, day) => new Date(Date.UTC(2026, 0, 1 + day)));
const FORMULA = /^['"]*[=+\-@\t\r\n\0＝＋－＠]/;

const guarded = (cell) => (FORMULA.test(cell) ? `'${cell}` : cell);
const bare = (cell) => (cell.startsWith("'") && FORMULA.test(cell.slice(1)) ? cell.slice(1) : cell);

// Amounts are whole øre: there is no exact decimal here.
const amount = (row) => ((row * 7919) % 2_000_000) - 1_000_000;
const vat = (row) => (row * 31) % 25_000;

function decimal(cents) {
  const size = Math.abs(cents);
  return `${cents < 0 ? "-" : ""}${Math.floor(size / 100)},${String(size % 100).padStart(2, "0")}`;
}

function cents(cell) {
  const parts = /^(-?)(\d+),(\d\d)$/.exec(cell);
  if (!parts) throw new Error("not an amount");
  const size = Number(parts[2]) * 100 + Number(parts[3]);
  return parts[1] ? -size : size;
}

function date(day) {
  const two = (part) => String(part).padStart(2, "0");
  return `${two(day.getUTCDate())}.${two(day.getUTCMonth() + 1)}.${day.getUTCFullYear()}`;
}

function text(row) {
  if (row % 10 === 0) return `Reise; "tur" ${row}`;
  return row % 10 === 1 ? `=1+${row}` : `Utlegg ${row}`;
}

async function write(rows, path) {
  let total = 0;
  function* table() {
    for (let row = 0; row < rows; row++) {
      total += amount(row);
      yield [
        guarded(`R${String(row).padStart(8, "0")}`), guarded(NAMES[row % 4]), guarded(text(row)), guarded(String(4000 + (row % 900))),
        guarded(`avd. ${row % 37}`), decimal(amount(row)), decimal(vat(row)), String(row % 13), date(DAYS[row % 365]),
        row % 2 === 0 ? "Ja" : "Nei", guarded(String(row).padStart(10, "0")), KINDS[row % 3],
      ];
    }
  }
  const options = { bom: true, columns: HEADER, delimiter: ";", header: true, record_delimiter: "windows" };
  await pipeline(Readable.from(table()), stringify(options), createWriteStream(path));
  return [rows, total];
}

async function read(path) {
  let [rows, total] = [0, 0];
  const parser = parse({ bom: true, columns: false, delimiter: ";", from_line: 1, record_delimiter: "\r\n" });
  const done = pipeline(createReadStream(path), parser, async (records) => {
    let where;
    for await (const cells of records) {
      if (!where) {
        where = HEADER.map((name) => cells.indexOf(name));
        continue;
      }
      const row = where.map((place) => cells[place]);
      for (const place of [0, 1, 2, 3, 4, 10]) row[place] = bare(row[place]);
      [row[5], row[6], row[7]] = [cents(row[5]), cents(row[6]), Number(row[7])];
      row[8] = new Date(Date.UTC(Number(row[8].slice(6)), Number(row[8].slice(3, 5)) - 1, Number(row[8].slice(0, 2))));
      row[9] = row[9] === "Ja";
      if (!KINDS.includes(row[11])) throw new Error("not a kind");
      total += row[5];
      rows += 1;
    }
  });
  await done;
  return [rows, total];
}

const [way, count, path] = process.argv.slice(2);
const began = performance.now();
const [rows, total] = way === "write" ? await write(Number(count), path) : await read(path);
const seconds = (performance.now() - began) / 1000;
const peak = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "ascii"))[1];
console.log(seconds, 1024 * Number(peak), rows, total);
