from __future__ import annotations

import zipfile

from tools.sbom import LOCK, ROOT, bill_of_materials


def _written() -> str:
    return LOCK.read_text(encoding="utf-8")


def test_it_lists_what_the_zipapp_carries() -> None:
    with zipfile.ZipFile(ROOT / "dist" / "signpath-ci.pyz") as archive:
        carried = {name.split(".dist-info/")[0] for name in archive.namelist() if ".dist-info/" in name}

    listed = {
        f"{one['name'].replace('-', '_')}-{one['version']}" for one in bill_of_materials(_written())["components"]
    }

    assert listed == carried


def test_each_package_has_its_url_and_its_hashes() -> None:
    bill = bill_of_materials(
        f"requests==2.32.5 \\\n    --hash=sha256:{'a' * 64} \\\n    --hash=sha256:{'b' * 64}\n    # via signpath-ci\n"
    )

    [component] = bill["components"]
    assert component["purl"] == "pkg:pypi/requests@2.32.5"
    assert [found["content"] for found in component["externalReferences"][0]["hashes"]] == ["a" * 64, "b" * 64]
    assert bill["dependencies"] == [
        {"ref": bill["metadata"]["component"]["bom-ref"], "dependsOn": ["pkg:pypi/requests@2.32.5"]}
    ]


def test_the_same_lock_gives_the_same_bill() -> None:
    assert bill_of_materials(_written()) == bill_of_materials(_written())
    assert bill_of_materials(_written())["serialNumber"] != bill_of_materials("")["serialNumber"]
