// Reads the archives whose paths come on standard input with packages from npm, and prints what each sees of them.
// One line for a reader and an archive: reader TAB path TAB either "!" and an error, or entries "hex of name=SHA-256;".
"use strict";

const { createHash } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const load = createRequire(process.argv[2]); // the package.json beside node_modules

const yauzl = load("yauzl");
const AdmZip = load("adm-zip");
const fflate = load("fflate");
const unzipper = load("unzipper");

const entry = (name, content) =>
  `${Buffer.from(name, "utf8").toString("hex")}=${createHash("sha256").update(content).digest("hex")};`;

async function collected(stream) {
  const blocks = [];
  for await (const block of stream) blocks.push(block);
  return Buffer.concat(blocks);
}

const readers = {
  yauzl: (path) =>
    new Promise((resolve, reject) => {
      yauzl.open(path, { lazyEntries: true }, (error, file) => {
        if (error) return reject(error);
        let seen = "";
        file.on("error", reject);
        file.on("end", () => resolve(seen));
        file.on("entry", (found) => {
          file.openReadStream(found, (failure, stream) => {
            if (failure) return reject(failure);
            collected(stream).then((content) => {
              seen += entry(found.fileName, content);
              file.readEntry();
            }, reject);
          });
        });
        file.readEntry();
      });
    }),
  "adm-zip": async (path) =>
    new AdmZip(path)
      .getEntries()
      .map((found) => entry(found.entryName, found.getData()))
      .join(""),
  fflate: async (path) =>
    Object.entries(fflate.unzipSync(readFileSync(path)))
      .map(([name, content]) => entry(name, content))
      .join(""),
  unzipper: async (path) => {
    const directory = await unzipper.Open.buffer(readFileSync(path));
    let seen = "";
    for (const found of directory.files) seen += entry(found.path, await found.buffer());
    return seen;
  },
};

let fail = () => {};
process.on("uncaughtException", (error) => fail(error)); // some throw where nobody can catch it
process.on("unhandledRejection", (error) => fail(error));

async function main() {
  for (const path of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
    for (const [name, read] of Object.entries(readers)) {
      let seen;
      const failed = new Promise((_, reject) => (fail = reject));
      const late = new Promise((_, reject) => setTimeout(reject, 20000, new Error("no end")).unref());
      try {
        seen = await Promise.race([read(path), failed, late]);
      } catch (error) {
        seen = `!${String(error).replace(/\s+/g, " ")}`;
      }
      await new Promise((resolve) => process.stdout.write(`${name}\t${path}\t${seen}\n`, resolve));
    }
  }
  process.exit(0);
}

main();
