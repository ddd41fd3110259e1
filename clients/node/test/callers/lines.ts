/** A word as it was meant; each of its characters is a byte. */
export function unquote(word: string): string {
  return word.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
}

/** Writes a line of words, each character of which is a byte. Empty ones are left out. */
export function report(...words: (string | number)[]): void {
  const quoted = words.map((word) => quote(String(word))).filter((word) => word !== "");
  process.stdout.write(`${quoted.join(" ")}\n`);
}

function quote(word: string): string {
  return Array.from(Buffer.from(word, "latin1"), (byte) => {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x25;
    return plain ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0")}`;
  }).join("");
}
