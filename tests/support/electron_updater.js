// What electron-updater does with an update manifest, for a directory with the files: node updater.js MODULES DIRECTORY MANIFEST
const [modules, directory, manifest] = process.argv.slice(2)
const fs = require("fs")
const path = require("path")
const { DigestTransform } = require(path.join(modules, "builder-util-runtime"))
const { parseUpdateInfo, resolveFiles } = require(path.join(modules, "electron-updater", "out", "providers", "Provider"))

const base = new URL("https://updates.example/")
const information = parseUpdateInfo(fs.readFileSync(path.join(directory, manifest), "utf8"), manifest, new URL(manifest, base))
for (const { url, info } of resolveFiles(information, base)) {
  const file = path.join(directory, decodeURIComponent(path.posix.basename(url.pathname)))
  if (info.size !== fs.statSync(file).size) throw new Error(`size of ${file}`)
  fs.createReadStream(file)
    .pipe(new DigestTransform(info.sha512, "sha512", "base64"))
    .on("error", error => { throw error })
    .on("finish", () => console.log(path.basename(file)))
    .resume()
}
