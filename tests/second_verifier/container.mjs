// The container of a bundle, byte by byte (docs/evidence.md).

import { crc32 } from "node:zlib";

const NAME = /^(?:pictures\/)?[A-Za-z0-9][A-Za-z0-9_-]*\.[a-z]{2,5}$/;
const FILES_MAX = 10_000;
const FILE_BYTES_MAX = 64 * 1024 * 1024;
const CONTAINER_BYTES_MAX = 1024 * 1024 * 1024;

/** One thing that does not hold. */
export class Fails extends Error {
  constructor(about, says) {
    super(says);
    this.about = about;
  }
}

/** Throw unless it holds. */
export const claim = (holds, about, says) => {
  if (!holds) throw new Fails(about, says);
};

function localHeader(name, content) {
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(20, 4);
  head.writeUInt16LE(0x21, 12);
  head.writeUInt32LE(crc32(content), 14);
  head.writeUInt32LE(content.length, 18);
  head.writeUInt32LE(content.length, 22);
  head.writeUInt16LE(name.length, 26);
  return Buffer.concat([head, Buffer.from(name, "latin1")]);
}

function centralHeader(name, content, at) {
  const head = Buffer.alloc(46);
  head.writeUInt32LE(0x02014b50, 0);
  head.writeUInt16LE(20, 4);
  head.writeUInt16LE(20, 6);
  head.writeUInt16LE(0x21, 14);
  head.writeUInt32LE(crc32(content), 16);
  head.writeUInt32LE(content.length, 20);
  head.writeUInt32LE(content.length, 24);
  head.writeUInt16LE(name.length, 28);
  head.writeUInt32LE(at, 42);
  return Buffer.concat([head, Buffer.from(name, "latin1")]);
}

/** Return the files of a container, once every byte of it is accounted for. */
export function filesOf(whole) {
  claim(whole.length <= CONTAINER_BYTES_MAX, "the bundle", "too long");
  const files = new Map();
  const central = [];
  let at = 0;
  while (at + 30 <= whole.length && whole.readUInt32LE(at) === 0x04034b50) {
    claim(files.size < FILES_MAX, "the bundle", "too many files");
    const size = whole.readUInt32LE(at + 18);
    const name = whole.toString("latin1", at + 30, at + 30 + whole.readUInt16LE(at + 26));
    claim(NAME.test(name) && name.length <= 100 && size <= FILE_BYTES_MAX, name, "no such file may be");
    claim(!files.has(name), name, "twice");
    const begins = at + 30 + name.length;
    const content = whole.subarray(begins, begins + size);
    claim(content.length === size, name, "cut short");
    claim(localHeader(name, content).equals(whole.subarray(at, begins)), name, "changed");
    files.set(name, content);
    central.push(centralHeader(name, content, at));
    at = begins + size;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.size, 8);
  end.writeUInt16LE(files.size, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  claim(files.size && Buffer.concat([directory, end]).equals(whole.subarray(at)), "the zip", "changed or cut");
  return files;
}
