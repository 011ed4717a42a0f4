"""What the editor is made of: nothing without its hash, and no index by name."""

import json

from labs.kit import places


def test_every_package_of_it_is_pinned_by_hash_and_no_index_is_named() -> None:
    lock = json.loads((places.IMAGES / "editor/package-lock.json").read_text())
    packages = {name: told for name, told in lock["packages"].items() if name}
    assert "node_modules/code-server" in packages
    assert all(told["integrity"].startswith("sha512-") for told in packages.values())
    assert not any("resolved" in told for told in packages.values())
    wanted = json.loads((places.IMAGES / "editor/package.json").read_text())["dependencies"]
    assert wanted == {"code-server": packages["node_modules/code-server"]["version"]}
