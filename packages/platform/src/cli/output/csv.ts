/** CSV as in RFC 4180: a field is quoted where it must be. */
export function csvLine(fields: readonly (string | number | bigint | undefined)[]): string {
  return `${fields.map(field).join(",")}\r\n`;
}

function field(value: string | number | bigint | undefined): string {
  const text = value === undefined ? "" : String(value);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
